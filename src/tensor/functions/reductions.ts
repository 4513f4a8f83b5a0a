import { type OptionNames, wrongOptions } from "../../base/known-options.ts";
import { apply } from "../ops/apply.ts";
import { add, asFloat, cast, constant, div, mul, sub, unary, where } from "./arithmetic.ts";
import { isFloat } from "../dtype.ts";
import { fail } from "../errors.ts";
import { NONE } from "../ops/ops.ts";
import { normalizeDim, normalizeDims, numel, sameShape, show } from "../shape.ts";
import { cat, flatten, reshape, sizeAt, slice, squeeze } from "./shaping.ts";
import type { Tensor } from "../tensor.ts";

/** Which dimensions a reduction runs over. */
export interface ReduceOptions {
  /** One dimension or several, negative from the end. @default all */
  readonly dim?: number | readonly number[];
  /** Keep reduced dimensions with size 1. @default false */
  readonly keepdim?: boolean;
}

const REDUCING: OptionNames<VarianceOptions> = { dim: true, keepdim: true, correction: true };

/** The dimensions to reduce. What is no options object would silently reduce all of them. */
function dimsOf(op: string, x: Tensor, options: ReduceOptions): number[] {
  if (typeof options === "number") {
    fail(op, `expected options, got a number; write ${op}({ dim: ${String(options)} })`);
  }
  const wrong = wrongOptions(options, REDUCING);
  if (wrong !== undefined) fail(op, wrong);
  return normalizeDims(op, options.dim, x.shape.length);
}

function reduce(
  op: "sum" | "mean" | "amax" | "amin" | "prod",
  x: Tensor,
  options: ReduceOptions,
): Tensor {
  const dims = dimsOf(op, x, options);
  const { keepdim = false } = options;
  return dims.length === 0 ? x : apply(op, [x], { dims, keepdim });
}

/** Sum; bools and integers are summed as int64. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce("sum", isFloat(x.dtype) ? x : cast(x, "int64"), options);
}

export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  if (!isFloat(x.dtype)) {
    fail("mean", `expected a floating-point tensor, got ${x.dtype}; use to("float32") first`);
  }
  // ONNX Runtime's mean of nothing is 0.
  if (numel(x.shape) === 0) return div(sum(x, options), constant(0, x.dtype));
  return reduce("mean", x, options);
}

export function prod(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce("prod", isFloat(x.dtype) ? x : cast(x, "int64"), options);
}

/** Largest values, NaN where there is one; equal ones share the gradient. */
export function amax(x: Tensor, options: ReduceOptions = {}): Tensor {
  return withNan(x, reduce("amax", x, options), options);
}

/** Smallest values, NaN where there is one; equal ones share the gradient. */
export function amin(x: Tensor, options: ReduceOptions = {}): Tensor {
  return withNan(x, reduce("amin", x, options), options);
}

/** ONNX Runtime passes over NaN when it looks for extremes. */
function withNan(x: Tensor, extremes: Tensor, options: ReduceOptions): Tensor {
  if (!isFloat(x.dtype)) return extremes;
  return where(any(isnan(x), options), constant(NaN, x.dtype), extremes);
}

function isnan(x: Tensor): Tensor {
  return apply("isnan", [x], NONE);
}

/** Numbers in torch's order, in which NaN is above everything. */
function ordered(x: Tensor, nan: number = Infinity): Tensor {
  return isFloat(x.dtype) ? where(isnan(x), constant(nan, x.dtype), x) : x;
}

/** Index of the first largest (smallest) element along `dim`, or in the flattened tensor. */
export function argExtreme(
  op: "argmax" | "argmin",
  x: Tensor,
  dim?: number,
  keepdim = false,
): Tensor {
  const d = normalizeDim(op, dim ?? 0, x.shape.length);
  const keys = ordered(x, op === "argmax" ? Infinity : -Infinity);
  if (dim === undefined || x.shape.length === 0) return position(op, flatten(keys), 0, false);
  return position(op, keys, d, keepdim);
}

function position(op: "argmax" | "argmin", x: Tensor, dim: number, keepdim: boolean): Tensor {
  // ONNX Runtime's ArgMax does not know int64.
  if (x.dtype !== "int64" || sizeAt(x, dim) === 0) return apply(op, [x], { dim, keepdim });
  const found = apply("topk", [x], { dim, largest: op === "argmax" }, [[1]]);
  return keepdim ? found : squeeze(found, dim);
}

/** Values and indices along a dimension; the gradient goes to the one element chosen. */
export interface ValuesIndices {
  /** The chosen elements. */
  readonly values: Tensor;
  /** int64: their indices along the dimension. */
  readonly indices: Tensor;
}

export function extreme(op: "max" | "min", x: Tensor, dim: number, keepdim = false): ValuesIndices {
  if (x.shape.length === 0) return withoutDimension(extreme(op, flatten(x), dim, false));
  const d = normalizeDim(op, dim, x.shape.length);
  if (sizeAt(x, d) === 0) fail(op, `dimension ${dim} of ${show(x.shape)} is empty`);
  const at = argExtreme(op === "max" ? "argmax" : "argmin", x, d, true);
  const values = apply("gather", [x, at], { dim: d });
  return keepdim
    ? { values, indices: at }
    : { values: squeeze(values, d), indices: squeeze(at, d) };
}

/** Results of one element as 0-d tensors, as torch gives for 0-d operands. */
function withoutDimension({ values, indices }: ValuesIndices): ValuesIndices {
  return { values: reshape(values, []), indices: reshape(indices, []) };
}

export function any(x: Tensor, options: ReduceOptions = {}): Tensor {
  const truth = cast(cast(x, "bool"), "int32");
  return numel(x.shape) === 0
    ? cast(sum(truth, options), "bool")
    : cast(reduce("amax", truth, options), "bool");
}

export function all(x: Tensor, options: ReduceOptions = {}): Tensor {
  return apply("not", [any(apply("not", [cast(x, "bool")], NONE), options)], NONE);
}

/** How the sum of squared deviations is divided: by n - correction. */
export interface VarianceOptions extends ReduceOptions {
  /** @default 1 (Bessel's) */
  readonly correction?: number;
}

export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  const y = asFloat(x);
  const dims = dimsOf("var", y, options);
  const n = dims.reduce((product, d) => product * sizeAt(y, d), 1);
  const centred = sub(y, mean(y, { dim: dims, keepdim: true }));
  const total = sum(mul(centred, centred), { ...options, dim: dims });
  return div(total, Math.max(0, n - (options.correction ?? 1)));
}

/** Square root of the variance; where that is 0, its gradient is 0 rather than infinite. */
export function standardDeviation(x: Tensor, options: VarianceOptions = {}): Tensor {
  return rootOfSquares(variance(x, options));
}

/** log(sum(exp(x))), stable. */
export function logsumexp(x: Tensor, options: ReduceOptions = {}): Tensor {
  const y = asFloat(x);
  const dims = dimsOf("logsumexp", x, options);
  if (dims.some((d) => sizeAt(y, d) === 0)) return unary("log", sum(y, options));
  const raw = unary("detach", reduce("amax", y, { dim: dims, keepdim: true }));
  const finite = apply("isinf", [raw], NONE);
  const peak = where(finite, constant(0, y.dtype), raw);
  const total = sum(unary("exp", sub(y, peak)), { dim: dims, keepdim: options.keepdim ?? false });
  return add(unary("log", total), options.keepdim === true ? peak : squeeze(peak, dims));
}

export function cumsum(x: Tensor, dim: number): Tensor {
  const d = normalizeDim("cumsum", dim, x.shape.length);
  const y = isFloat(x.dtype) ? x : cast(x, "int64");
  return x.shape.length === 0 ? y : apply("cumsum", [y], { dim: d, reverse: false });
}

/** The k largest (smallest) elements along a dimension, best first. */
export function topk(x: Tensor, k: number, dim = -1, largest = true): ValuesIndices {
  if (x.shape.length === 0) return withoutDimension(topk(flatten(x), k, dim, largest));
  const d = normalizeDim("topk", dim, x.shape.length);
  if (!Number.isInteger(k) || k < 0) fail("topk", `k must be an integer of 0 or more, got ${k}`);
  const indices = apply("topk", [ordered(x)], { dim: d, largest }, [[k]]);
  return { values: apply("gather", [x, indices], { dim: d }), indices };
}

/** All elements in order along a dimension. Equal elements keep their order. */
export function sort(x: Tensor, dim = -1, descending = false): ValuesIndices {
  const d = normalizeDim("sort", dim, x.shape.length);
  return topk(x, x.shape.length === 0 ? 1 : sizeAt(x, d), d, descending);
}

/** Lᵖ norm of vectors along dimensions, or of all elements. */
export function norm(x: Tensor, p = 2, options: ReduceOptions = {}): Tensor {
  if (typeof p !== "number" || Number.isNaN(p)) {
    fail("norm", `p must be a number, got ${String(p)}`);
  }
  const y = asFloat(x);
  if (p === Infinity) return amax(unary("abs", y), options);
  if (p === -Infinity) return amin(unary("abs", y), options);
  if (p === 1) return sum(unary("abs", y), options);
  if (p === 0) return sum(cast(cast(y, "bool"), y.dtype), options);
  if (p !== 2) return powerNorm(y, p, options);
  return rootOfSquares(sum(mul(y, y), options));
}

/** Square root whose slope at zero, which is infinite, counts as 0, as torch's norms do. */
function rootOfSquares(squares: Tensor): Tensor {
  const zero = apply("eq", [squares, constant(0, squares.dtype)], NONE);
  const root = unary("sqrt", where(zero, constant(1, squares.dtype), squares));
  return where(zero, constant(0, squares.dtype), root);
}

function powerNorm(x: Tensor, p: number, options: ReduceOptions): Tensor {
  const exponent = constant(p, x.dtype);
  const total = sum(apply("pow", [unary("abs", x), exponent], NONE), options);
  return apply("pow", [total, constant(1 / p, x.dtype)], NONE);
}

/** Running product. Doubles the reach of each element per step, so it takes log2(n) steps. */
export function cumprod(x: Tensor, dim: number): Tensor {
  const d = normalizeDim("cumprod", dim, x.shape.length);
  const n = sizeAt(x, d);
  let y = x;
  for (let reach = 1; reach < n; reach *= 2) {
    const ahead = mul(slice(y, d, reach), slice(y, d, 0, n - reach));
    y = cat([slice(y, d, 0, reach), ahead], d);
  }
  return y;
}

/** Sums over the dimensions along which a tensor of `shape` was broadcast. */
export function reduceTo(x: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const added = x.shape.length - shape.length;
  const dim = x.shape.flatMap((n, i) => {
    const own = i < added ? undefined : shape[i - added];
    return own === undefined || (own === 1 && n !== 1) ? [i] : [];
  });
  return reshape(dim.length === 0 ? x : sum(x, { dim }), shape);
}
