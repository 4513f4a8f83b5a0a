import type { DType } from "../dtype.ts";
import { mul } from "../functions/arithmetic.ts";
import { zeros } from "../functions/creation.ts";
import { cat } from "../functions/shaping.ts";
import { apply, encodeNumbers, leaf } from "../ops/apply.ts";
import type { Tensor } from "../tensor.ts";

/** The part of the whole that may be left out. */
const RESOLUTION = { float64: 2 ** -53, other: 2 ** -24 } as const;
/** A bound for matrices next to zero, which cannot be divided by. */
const LEAST_BOUND = 0.5;

/**
 * exp(A) of a skew-symmetric A as a series that is never added up to a matrix, only for vectors that it is
 * multiplied with: much less work where these are few.
 *
 * It is Chebyshev's expansion of exp(i b t) for t from -1 to 1 in his polynomials of the second kind: with
 * M = 2 A / b, P[0] = I and P[k] = M P[k - 1] + P[k - 2], exp(A) is the sum of w[k] P[k] where
 * w[k] = J[k](b) + J[k + 2](b), Bessel's functions. No eigenvalue of A may be larger than b; there are b terms
 * and some more: 9 for 1, 26 for 10, 135 for 100 (in float64 16, 38, 157). It stays orthogonal to the last bits,
 * which squarings do not.
 */
export class SkewExp {
  /** How many terms there are: multiplications with a matrix. */
  readonly terms: number;
  readonly #matrix: Tensor;
  /** [1, terms] */
  readonly #weights: Tensor;
  readonly #inverse: Tensor;

  /**
   * @param a - A, [n, n]
   * @param bound - b, as large as the largest eigenvalue or larger.
   */
  constructor(a: Tensor, bound: number) {
    const { dtype } = a;
    const b = Math.max(bound, LEAST_BOUND);
    const weights = weightsFor(b, dtype);
    const numbers = (list: readonly number[], shape: readonly number[]): Tensor =>
      leaf(encodeNumbers(list, dtype), shape, dtype);
    this.terms = weights.length;
    // Of one dimension, for it is another number in each step of a training, and no part of a program.
    this.#matrix = mul(a, numbers([2 / b], [1]));
    this.#weights = numbers(weights, [1, this.terms]);
    // exp(-A) is of the same powers, the odd ones subtracted.
    const signed = weights.map((w, k) => (k % 2 === 0 ? w : -w));
    this.#inverse = numbers(signed, [1, this.terms]);
  }

  /** exp(A) x, for x [n, count] */
  times(x: Tensor): Tensor {
    return this.#sum(this.#weights, x);
  }

  /** exp(-A) x, which is exp(A)ᵀ x, for x [n, count] */
  inverseTimes(x: Tensor): Tensor {
    return this.#sum(this.#inverse, x);
  }

  #sum(weights: Tensor, x: Tensor): Tensor {
    const rest = zeros([this.terms - 1, ...x.shape], { dtype: x.dtype });
    const input = cat([x.unsqueeze(0), rest], 0);
    const states = apply("threeTerm", [this.#matrix, input], { reverse: false });
    return weights.matmul(states.reshape([this.terms, -1])).reshape(x.shape);
  }
}

/** w[0], w[1], ..., as many as count. */
function weightsFor(b: number, dtype: DType): readonly number[] {
  const bessel = besselFunctions(b);
  const weights = bessel.map((j, k) => j + (bessel[k + 2] ?? 0));
  let left = 0;
  // P[k] is at most k + 1.
  const last = weights.findLastIndex((w, k) => {
    left += (k + 1) * Math.abs(w);
    return left > RESOLUTION[dtype === "float64" ? "float64" : "other"];
  });
  return weights.slice(0, last + 1);
}

/** J[0](x), J[1](x), ... for x > 0: backwards from where they are nothing (Miller's algorithm). */
function besselFunctions(x: number): readonly number[] {
  const found = [0, 1e-300];
  for (let k = Math.ceil(1.5 * x) + 60; k > 0; k--) {
    found.push(((2 * k) / x) * (found.at(-1) ?? 0) - (found.at(-2) ?? 0));
  }
  found.reverse();
  const evens = found.filter((_, k) => k % 2 === 0).reduce((a, b) => a + b, 0);
  const sum = 2 * evens - (found[0] ?? 0);
  return found.map((j) => j / sum);
}
