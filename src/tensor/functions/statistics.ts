import { apply } from "../ops/apply.ts";
import { add, asFloat, cast, div, mul, sub, where, constantLike } from "./arithmetic.ts";
import { isFloat } from "../dtype.ts";
import { fail } from "../errors.ts";
import { NONE } from "../ops/ops.ts";
import { amax, amin, type ReduceOptions, sort, sum, type ValuesIndices } from "./reductions.ts";
import { normalizeDim, show } from "../shape.ts";
import { flatten, select, sizeAt, slice, unsqueeze } from "./shaping.ts";
import type { Tensor } from "../tensor.ts";

/** The k-th smallest element (k counts from 1) along a dimension, and its index. */
export function kthvalue(x: Tensor, k: number, dim = -1, keepdim = false): ValuesIndices {
  const d = normalizeDim("kthvalue", dim, x.shape.length);
  const n = sizeAt(x, d);
  if (!Number.isInteger(k) || k < 1 || k > n) {
    fail("kthvalue", `k must be 1 to ${n} for dimension ${dim} of ${show(x.shape)}, got ${k}`);
  }
  const { values, indices } = sort(x, d);
  const pick = (t: Tensor): Tensor => {
    const one = select(t, d, k - 1);
    return keepdim ? unsqueeze(one, d) : one;
  };
  return { values: pick(values), indices: pick(indices) };
}

/** The middle element along a dimension, the lower of two. */
export function median(x: Tensor, dim: number, keepdim = false): ValuesIndices {
  const d = normalizeDim("median", dim, x.shape.length);
  if (sizeAt(x, d) === 0) fail("median", `dimension ${dim} of ${show(x.shape)} is empty`);
  return kthvalue(x, Math.floor((sizeAt(x, d) - 1) / 2) + 1, d, keepdim);
}

/** The middle element of all, the lower of two. */
export function medianOfAll(x: Tensor): Tensor {
  return median(flatten(x), 0).values;
}

/** The q-quantile along a dimension (of all elements without one), between neighbours linearly. */
export function quantile(
  x: Tensor,
  q: number,
  { dim, keepdim = false }: ReduceOptions = {},
): Tensor {
  if (!(q >= 0 && q <= 1)) fail("quantile", `q must lie in [0, 1], got ${q}`);
  if (typeof dim === "object") fail("quantile", "expected one dimension");
  const y = dim === undefined ? flatten(asFloat(x)) : asFloat(x);
  const d = dim === undefined ? 0 : normalizeDim("quantile", dim, y.shape.length);
  const n = sizeAt(y, d);
  if (n === 0) fail("quantile", `${show(x.shape)} has no elements to choose from`);
  const at = q * (n - 1);
  const low = Math.floor(at);
  const { values } = sort(y, d);
  const pick = (i: number): Tensor => slice(values, d, i, i + 1);
  const next = pick(Math.min(low + 1, n - 1));
  const found = add(pick(low), mul(sub(next, pick(low)), at - low));
  return keepdim && dim !== undefined ? found : select(found, d, 0);
}

/** How many elements are not zero: int64. */
export function countNonzero(x: Tensor, options: ReduceOptions = {}): Tensor {
  return sum(cast(cast(x, "bool"), "int64"), options);
}

/** Sum of the elements that are not NaN. */
export function nansum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return isFloat(x.dtype) ? sum(withoutNan(x), options) : sum(x, options);
}

/** Mean of the elements that are not NaN. */
export function nanmean(x: Tensor, options: ReduceOptions = {}): Tensor {
  if (!isFloat(x.dtype)) fail("nanmean", `expected a floating-point tensor, got ${x.dtype}`);
  const counted = cast(apply("not", [apply("isnan", [x], NONE)], NONE), x.dtype);
  return div(sum(withoutNan(x), options), sum(counted, options));
}

function withoutNan(x: Tensor): Tensor {
  return where(apply("isnan", [x], NONE), constantLike(0, x), x);
}

/** Smallest and largest elements. */
export function aminmax(
  x: Tensor,
  options: ReduceOptions = {},
): { readonly min: Tensor; readonly max: Tensor } {
  return { min: amin(x, options), max: amax(x, options) };
}

/** Differences of neighbours along a dimension, taken n times. */
export function diff(x: Tensor, n = 1, dim = -1): Tensor {
  const d = normalizeDim("diff", dim, x.shape.length);
  if (!Number.isInteger(n) || n < 0) fail("diff", `n must be an integer of 0 or more, got ${n}`);
  let y = x;
  for (let i = 0; i < n; i++) {
    const [later, earlier] = [slice(y, d, 1), slice(y, d, 0, Math.max(0, sizeAt(y, d) - 1))];
    y = y.dtype === "bool" ? apply("xor", [later, earlier], NONE) : sub(later, earlier);
  }
  return y;
}
