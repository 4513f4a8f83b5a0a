import { apply } from "../ops/apply.ts";
import { add, cast, constantLike, mul } from "../functions/arithmetic.ts";
import { eye, tensor } from "../functions/creation.ts";
import { cat } from "../functions/shaping.ts";
import { NONE } from "../ops/ops.ts";
import { numel } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { requireSquare } from "./checks.ts";

/**
 * Coefficients of I, A, A², A³ and A⁶ in five polynomials, from which two more products make the
 * Taylor series of exp(A) up to A¹⁸: Bader, Blanes and Casas, "Computing the matrix exponential
 * with an optimized Taylor polynomial approximation" (2019), table 4.
 */
const POLYNOMIALS = [
  [0, -1.0036558103014462e-1, -8.02924648241157e-3, -8.921384980457299e-4, 0],
  [0, 3.978497494996451e-1, 1.3678377846041172, 4.982896225253824e-1, -6.378981945947233e-4],
  [-1.0967639605296206e1, 1.680158138789062, 5.717798464788655e-2, -6.982101224880521e-3, 3.349750170860705e-5],
  [-9.043168323908106e-2, -6.764045190713819e-2, 6.759613017704597e-2, 2.955525704293155e-2, -1.391802575160607e-5],
  [0, 0, -9.233646193671186e-2, -1.6936493900208172e-2, -1.400867981820361e-5],
] as const; // prettier-ignore

/** Largest 1-norm for which that polynomial is exact to a dtype's precision. */
const NORM_LIMIT = { float64: 1.090863719290036, other: 3.010066362817634 } as const;

/** More squarings than any finite float32 needs. */
const MOST_SQUARINGS = 128;

/**
 * exp of square matrices, x [..., n, n]: 5 matrix products, and one more each time the norm doubles
 * beyond 3 (1.1 for float64).
 *
 * @example
 * ```ts
 * import { linalg, tensor } from "tsvene";
 * const rotation = linalg.matrixExp(tensor([[0, -1], [1, 0]]));
 * ```
 */
export function matrixExp(x: Tensor): Tensor {
  const a = requireSquare("matrixExp", x);
  if (numel(a.shape) === 0) return a;
  const halvings = halvingsOf(a.detach());
  const scaled = mul(a, apply("pow", [constantLike(0.5, a), halvings], NONE));
  return apply("squarings", [taylor(scaled), cast(halvings, "int64")], NONE);
}

/** How often the largest 1-norm has to be halved. One that is not a number is passed over, and stays in x. */
function halvingsOf(a: Tensor): Tensor {
  const columns = a.abs().sum({ dim: -2 });
  const norm = apply("amax", [columns], { dims: columns.shape.map((_, d) => d), keepdim: false });
  const limit = NORM_LIMIT[a.dtype === "float64" ? "float64" : "other"];
  const doublings = mul(mul(norm, constantLike(1 / limit, a)).log(), constantLike(Math.LOG2E, a));
  const atLeast = apply("maximum", [doublings.ceil(), constantLike(0, a)], NONE);
  return apply("minimum", [atLeast, constantLike(MOST_SQUARINGS, a)], NONE);
}

/** All five polynomials are one product, of their coefficients with the powers as rows. */
function taylor(x: Tensor): Tensor {
  const a = x.unsqueeze(0);
  const n = a.size(-1);
  const a2 = a.matmul(a);
  const a3 = a2.matmul(a);
  const identity = eye(n, undefined, { dtype: a.dtype }).expand(a.shape);
  const powers = cat([identity, a, a2, a3, a3.matmul(a3)], 0);
  const coefficients = tensor(
    POLYNOMIALS.map((row) => [...row]),
    { dtype: a.dtype },
  );
  const rows = coefficients.matmul(powers.reshape([powers.size(0), -1]));
  const polynomials = rows.reshape([POLYNOMIALS.length, ...x.shape]);
  const [p0, p1, p2, p3, p4] = POLYNOMIALS.map((_, i) => polynomials.slice(0, i, i + 1)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const a9 = add(p3, p0.matmul(p4));
  return add(p1, add(p2, a9).matmul(a9)).squeeze(0);
}
