import { SkewExp } from "../../tensor/linalg/skew-exp.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * Terms times vectors for which turning costs as much as making W, in multiples of W's size: interchanging
 * and its gradient multiply each vector six times a term, and W, of the same size, is multiplied fifteen times,
 * and four times more for each squaring.
 */
const WORTH = 3;
/** No series has fewer terms. */
const FEWEST_TERMS = 8;

/**
 * Products of vectors with a rotation W = base exp(L - Lᵀ), L being the part below the diagonal of free
 * numbers, without making W.
 */
export class Turn {
  readonly #original: Tensor;
  readonly #base: Tensor;
  #exp: SkewExp | undefined;

  /**
   * @param original - The free numbers, [n, n].
   * @param base - Orthogonal, [n, n].
   */
  constructor(original: Tensor, base: Tensor) {
    this.#original = original;
    this.#base = base;
  }

  /** Whether these are what W is computed from. */
  isOf(original: Tensor, base: Tensor): boolean {
    return this.#original === original && this.#base === base;
  }

  /** Whether it is less work than making W, for so many vectors: as long as W is not far from its base. */
  isQuickFor(count: number): boolean {
    const most = (WORTH * this.#base.size(0)) / count;
    return count > 0 && most >= FEWEST_TERMS && this.#terms(most) <= most;
  }

  /** x W, for x [..., n] */
  along(x: Tensor): Tensor {
    const base = this.#base;
    const rows = x
      .to(base.dtype)
      .reshape([-1, base.size(0)])
      .matmul(base);
    return this.#series().inverseTimes(rows.t()).t().reshape(x.shape);
  }

  /** x Wᵀ, for x [..., n] */
  back(x: Tensor): Tensor {
    const base = this.#base;
    const rows = x.to(base.dtype).reshape([-1, base.size(0)]);
    return this.#series().times(rows.t()).t().matmul(base.t()).reshape(x.shape);
  }

  /** How many terms the series has; infinitely many where that is not known, or sure to be more than `most`. */
  #terms(most: number): number {
    return this.#exp === undefined && !(this.#bound() <= most) ? Infinity : this.#series().terms;
  }

  #series(): SkewExp {
    if (this.#exp === undefined) {
      const lower = this.#original.tril(-1);
      this.#exp = new SkewExp(lower.sub(lower.t()), this.#bound());
    }
    return this.#exp;
  }

  /** Eigenvalues of a skew-symmetric matrix come in pairs, so that none is larger than |A| / √2 = |L|. */
  #bound(): number {
    const { values, shape } = this.#original;
    const [size = 0] = shape;
    let sum = values === undefined ? NaN : 0;
    for (let row = 1; row < size; row++) {
      for (let i = row * size; i < row * size + row; i++) sum += Number(values?.[i]) ** 2;
    }
    return Math.sqrt(sum);
  }
}
