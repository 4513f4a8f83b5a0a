import { asFloat, constantLike, mul, sub } from "./arithmetic.ts";
import { fail } from "../errors.ts";
import { norm } from "./reductions.ts";
import { show } from "../shape.ts";
import { unsqueeze } from "./shaping.ts";
import type { Tensor } from "../tensor.ts";

/** The products of all pairs of two vectors' elements: [n], [m] -> [n, m]. */
export function outer(a: Tensor, b: Tensor): Tensor {
  if (a.shape.length !== 1 || b.shape.length !== 1) {
    fail("outer", `expected two vectors, got ${show(a.shape)} and ${show(b.shape)}`);
  }
  return mul(unsqueeze(a, 1), b);
}

/**
 * Distances of all pairs of rows, in the Lᵖ norm: a [..., n, d], b [..., m, d] -> [..., n, m].
 * @default p 2
 */
export function cdist(a: Tensor, b: Tensor, { p = 2 }: { readonly p?: number } = {}): Tensor {
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-1)) {
    fail(
      "cdist",
      `expected [..., n, d] and [..., m, d], got ${show(a.shape)} and ${show(b.shape)}`,
    );
  }
  return norm(sub(unsqueeze(asFloat(a), -2), unsqueeze(asFloat(b), -3)), p, { dim: -1 });
}

/** The vector product of vectors of 3 elements along a dimension. @default dim -1 */
export function cross(a: Tensor, b: Tensor, dim = -1): Tensor {
  if (a.size(dim) !== 3 || b.size(dim) !== 3) {
    fail("cross", `dimension ${dim} must be 3 in ${show(a.shape)} and ${show(b.shape)}`);
  }
  return a
    .roll(-1, dim)
    .mul(b.roll(-2, dim))
    .sub(a.roll(-2, dim).mul(b.roll(-1, dim)));
}

/** Options of {@link isclose}. */
export interface CloseOptions {
  /** @default 1e-5 */
  readonly rtol?: number;
  /** @default 1e-8 */
  readonly atol?: number;
  /** Whether NaN counts as close to NaN. @default false */
  readonly equalNan?: boolean;
}

/** Whether elements differ by at most atol + rtol |b|. @default rtol 1e-5, atol 1e-8 */
export function isclose(
  a: Tensor,
  b: Tensor,
  { rtol = 1e-5, atol = 1e-8, equalNan = false }: CloseOptions = {},
): Tensor {
  const [x, y] = [asFloat(a), asFloat(b)];
  const bound = y.abs().mul(constantLike(rtol, y)).add(constantLike(atol, y));
  const near = x.sub(y).abs().le(bound).logicalAnd(y.isfinite());
  const close = near.logicalOr(x.eq(y));
  return equalNan ? close.logicalOr(x.isnan().logicalAnd(y.isnan())) : close;
}
