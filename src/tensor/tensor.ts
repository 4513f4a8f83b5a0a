import { leaf, provideConstructor } from "./apply.ts";
import * as math from "./arithmetic.ts";
import type { Operand } from "./arithmetic.ts";
import { dtypesOf, type DType, type TypedArray } from "./dtype.ts";
import { fail } from "./errors.ts";
import * as indexing from "./indexing.ts";
import type { Index, IndexEntry } from "./indexing.ts";
import { matmul } from "./linear-algebra.ts";
import * as normal from "./normalisation.ts";
import type { ScatterReduction } from "./ops.ts";
import * as reductions from "./reductions.ts";
import type { ReduceOptions, ValuesIndices, VarianceOptions } from "./reductions.ts";
import { checkShape, numel, type Shape, show } from "./shape.ts";
import * as shaping from "./shaping.ts";
import { TensorCore } from "./tensor-core.ts";

/**
 * An immutable array of numbers, computed when somebody asks: operations record what to do and
 * check shapes and types at once; `await x.data()` (or `toArray`, `item`, `evaluate`) computes.
 * Methods are named and behave as PyTorch's, in camelCase; nothing is ever changed in place.
 *
 * @example
 * ```ts
 * import { tensor } from "tsvene";
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(await x.matmul(x).add(1).toArray());
 * ```
 */
export class Tensor extends TensorCore {
  /**
   * Wraps host values, without copying them.
   * @throws TensorError when the values do not fill the shape or cannot hold the dtype.
   */
  static fromData(data: TypedArray, shape: Shape, dtype?: DType, requiresGrad = false): Tensor {
    checkShape("Tensor.fromData", shape);
    const able = dtypesOf(data);
    const type = dtype ?? able[0] ?? "float32";
    if (!able.includes(type)) {
      fail(
        "Tensor.fromData",
        `a ${data.constructor.name} cannot hold ${type}; it holds ${able.join(" or ")}`,
      );
    }
    if (data.length !== numel(shape)) {
      fail("Tensor.fromData", `${data.length} values do not fill shape ${show(shape)}`);
    }
    return leaf(data, shape, type, requiresGrad);
  }

  // Types and gradients.
  to(dtype: DType): Tensor {
    return math.cast(this, dtype);
  }
  /** The same values, cut off from the gradient. */
  detach(): Tensor {
    return math.unary("detach", this);
  }

  // Elementwise.
  add(other: Operand, { alpha = 1 }: { alpha?: number } = {}): Tensor {
    return math.add(this, other, alpha);
  }
  sub(other: Operand, { alpha = 1 }: { alpha?: number } = {}): Tensor {
    return math.sub(this, other, alpha);
  }
  mul(other: Operand): Tensor {
    return math.mul(this, other);
  }
  /** True division; `rounding` rounds the quotient to whole numbers. */
  div(other: Operand, { rounding }: { rounding?: "floor" | "trunc" } = {}): Tensor {
    return math.div(this, other, rounding);
  }
  floorDivide(other: Operand): Tensor {
    return math.div(this, other, "floor");
  }
  /** Remainder with the sign of the divisor. */
  remainder(other: Operand): Tensor {
    return math.remainder(this, other);
  }
  /** Remainder with the sign of this tensor. */
  fmod(other: Operand): Tensor {
    return math.binary("fmod", this, other);
  }
  pow(exponent: Operand): Tensor {
    return math.pow(this, exponent);
  }
  maximum(other: Operand): Tensor {
    return math.binary("maximum", this, other);
  }
  minimum(other: Operand): Tensor {
    return math.binary("minimum", this, other);
  }
  atan2(other: Operand): Tensor {
    return math.atan2(this, other);
  }
  neg(): Tensor {
    return math.unary("neg", this);
  }
  abs(): Tensor {
    return math.unary("abs", this);
  }
  sign(): Tensor {
    return math.unary("sign", this);
  }
  square(): Tensor {
    return math.mul(this, this);
  }
  exp(): Tensor {
    return math.floatUnary("exp", this);
  }
  expm1(): Tensor {
    return math.expm1(math.asFloat(this));
  }
  log(): Tensor {
    return math.floatUnary("log", this);
  }
  log2(): Tensor {
    return this.log().mul(math.constant(Math.LOG2E));
  }
  log10(): Tensor {
    return this.log().mul(math.constant(Math.LOG10E));
  }
  log1p(): Tensor {
    return math.log1p(math.asFloat(this));
  }
  sqrt(): Tensor {
    return math.floatUnary("sqrt", this);
  }
  rsqrt(): Tensor {
    return this.sqrt().reciprocal();
  }
  reciprocal(): Tensor {
    return math.floatUnary("reciprocal", this);
  }
  sin(): Tensor {
    return math.floatUnary("sin", this);
  }
  cos(): Tensor {
    return math.floatUnary("cos", this);
  }
  atan(): Tensor {
    return math.floatUnary("atan", this);
  }
  sinh(): Tensor {
    return math.floatUnary("sinh", this);
  }
  cosh(): Tensor {
    return math.floatUnary("cosh", this);
  }
  tanh(): Tensor {
    return math.floatUnary("tanh", this);
  }
  erf(): Tensor {
    return math.floatUnary("erf", this);
  }
  erfc(): Tensor {
    return math.sub(math.constant(1), this.erf());
  }
  sigmoid(): Tensor {
    return math.floatUnary("sigmoid", this);
  }
  relu(): Tensor {
    return math.unary("relu", this);
  }
  floor(): Tensor {
    return math.unary("floor", this);
  }
  ceil(): Tensor {
    return math.unary("ceil", this);
  }
  /** To the nearest whole number, halves to the even one. */
  round(): Tensor {
    return math.unary("round", this);
  }
  trunc(): Tensor {
    return math.trunc(this);
  }
  clamp({ min, max }: { min?: Operand; max?: Operand }): Tensor {
    return math.clamp(this, min, max);
  }
  lerp(end: Tensor, weight: Operand): Tensor {
    return indexing.lerp(this, end, weight);
  }

  // Comparisons and logic.
  eq(other: Operand): Tensor {
    return math.binary("eq", this, other);
  }
  ne(other: Operand): Tensor {
    return this.eq(other).logicalNot();
  }
  lt(other: Operand): Tensor {
    return math.binary("lt", this, other);
  }
  le(other: Operand): Tensor {
    return math.binary("le", this, other);
  }
  gt(other: Operand): Tensor {
    return math.binary("gt", this, other);
  }
  ge(other: Operand): Tensor {
    return math.binary("ge", this, other);
  }
  logicalAnd(other: Tensor): Tensor {
    return math.logical("and", this, other);
  }
  logicalOr(other: Tensor): Tensor {
    return math.logical("or", this, other);
  }
  logicalXor(other: Tensor): Tensor {
    return math.logical("xor", this, other);
  }
  logicalNot(): Tensor {
    return math.unary("not", math.cast(this, "bool"));
  }
  isnan(): Tensor {
    return math.predicate("isnan", this);
  }
  isinf(): Tensor {
    return math.predicate("isinf", this);
  }
  isfinite(): Tensor {
    return this.isnan().logicalOr(this.isinf()).logicalNot();
  }

  // Reductions and scans.
  sum(options: ReduceOptions = {}): Tensor {
    return reductions.sum(this, options);
  }
  mean(options: ReduceOptions = {}): Tensor {
    return reductions.mean(this, options);
  }
  prod(options: ReduceOptions = {}): Tensor {
    return reductions.prod(this, options);
  }
  amax(options: ReduceOptions = {}): Tensor {
    return reductions.amax(this, options);
  }
  amin(options: ReduceOptions = {}): Tensor {
    return reductions.amin(this, options);
  }
  /** Largest values and their indices along a dimension. */
  max(dim: number, keepdim = false): ValuesIndices {
    return reductions.extreme("max", this, dim, keepdim);
  }
  /** Smallest values and their indices along a dimension. */
  min(dim: number, keepdim = false): ValuesIndices {
    return reductions.extreme("min", this, dim, keepdim);
  }
  argmax(dim?: number, keepdim = false): Tensor {
    return reductions.argExtreme("argmax", this, dim, keepdim);
  }
  argmin(dim?: number, keepdim = false): Tensor {
    return reductions.argExtreme("argmin", this, dim, keepdim);
  }
  any(options: ReduceOptions = {}): Tensor {
    return reductions.any(this, options);
  }
  all(options: ReduceOptions = {}): Tensor {
    return reductions.all(this, options);
  }
  var(options: VarianceOptions = {}): Tensor {
    return reductions.variance(this, options);
  }
  std(options: VarianceOptions = {}): Tensor {
    return this.var(options).sqrt();
  }
  norm(p = 2, options: ReduceOptions = {}): Tensor {
    return reductions.norm(this, p, options);
  }
  logsumexp(options: ReduceOptions = {}): Tensor {
    return reductions.logsumexp(this, options);
  }
  cumsum(dim: number): Tensor {
    return reductions.cumsum(this, dim);
  }
  cumprod(dim: number): Tensor {
    return reductions.cumprod(this, dim);
  }
  topk(
    k: number,
    { dim = -1, largest = true }: { dim?: number; largest?: boolean } = {},
  ): ValuesIndices {
    return reductions.topk(this, k, dim, largest);
  }
  sort({
    dim = -1,
    descending = false,
  }: { dim?: number; descending?: boolean } = {}): ValuesIndices {
    return reductions.sort(this, dim, descending);
  }
  argsort(options: { dim?: number; descending?: boolean } = {}): Tensor {
    return this.sort(options).indices;
  }
  softmax(dim: number): Tensor {
    return normal.softmax(this, dim);
  }
  logSoftmax(dim: number): Tensor {
    return normal.logSoftmax(this, dim);
  }

  // Products.
  /** Matrix product with torch's rules for vectors and batches. */
  matmul(other: Tensor): Tensor {
    return matmul(this, other);
  }

  // Shape.
  reshape(shape: Shape): Tensor {
    return shaping.reshape(this, shape);
  }
  flatten(startDim = 0, endDim = -1): Tensor {
    return shaping.flatten(this, startDim, endDim);
  }
  squeeze(dim?: number | readonly number[]): Tensor {
    return shaping.squeeze(this, dim);
  }
  unsqueeze(dim: number): Tensor {
    return shaping.unsqueeze(this, dim);
  }
  permute(dims: readonly number[]): Tensor {
    return shaping.permute(this, dims);
  }
  transpose(a: number, b: number): Tensor {
    return shaping.transpose(this, a, b);
  }
  /** The transpose of a matrix. */
  t(): Tensor {
    if (this.ndim > 2) {
      fail("t", `expected at most 2 dimensions, got ${show(this.shape)}; use transpose()`);
    }
    return this.ndim < 2 ? this : shaping.transpose(this, 0, 1);
  }
  movedim(from: number, to: number): Tensor {
    return shaping.movedim(this, from, to);
  }
  expand(shape: Shape): Tensor {
    return shaping.expand(this, shape);
  }
  repeat(times: readonly number[]): Tensor {
    return shaping.repeat(this, times);
  }
  tile(times: readonly number[]): Tensor {
    return shaping.tile(this, times);
  }
  repeatInterleave(times: number, dim: number): Tensor {
    return shaping.repeatInterleave(this, times, dim);
  }
  flip(dims: number | readonly number[]): Tensor {
    return shaping.flip(this, dims);
  }
  roll(shifts: number | readonly number[], dims: number | readonly number[]): Tensor {
    return shaping.roll(this, shifts, dims);
  }
  split(sizes: number | readonly number[], dim = 0): Tensor[] {
    return shaping.split(this, sizes, dim);
  }
  chunk(chunks: number, dim = 0): Tensor[] {
    return shaping.chunk(this, chunks, dim);
  }
  unbind(dim = 0): Tensor[] {
    return shaping.unbind(this, dim);
  }
  diagonal(offset = 0, dim1 = 0, dim2 = 1): Tensor {
    return indexing.diagonal(this, offset, dim1, dim2);
  }
  /** Windows of `size` elements every `step` along a dimension, as a new last dimension. */
  unfold(dim: number, size: number, step: number): Tensor {
    return indexing.unfold(this, dim, size, step);
  }
  tril(diagonal = 0): Tensor {
    return shaping.triangle(this, false, diagonal);
  }
  triu(diagonal = 0): Tensor {
    return shaping.triangle(this, true, diagonal);
  }

  // Indexing. `slice` is x[..., start:end:step, ...]; positions may be negative.
  slice(dim: number, start = 0, end: number = Infinity, step = 1): Tensor {
    return shaping.slice(this, dim, start, end, step);
  }
  narrow(dim: number, start: number, length: number): Tensor {
    return shaping.narrow(this, dim, start, length);
  }
  select(dim: number, index: number): Tensor {
    return shaping.select(this, dim, index);
  }
  sliceAssign(dim: number, start: number, end: number, value: Operand): Tensor {
    return indexing.sliceAssign(this, dim, start, end, value);
  }
  indexSelect(dim: number, index: Index): Tensor {
    return indexing.indexSelect(this, dim, index);
  }
  indexCopy(dim: number, index: Index, source: Tensor): Tensor {
    return indexing.indexPutRows(this, dim, index, source);
  }
  indexAdd(
    dim: number,
    index: Index,
    source: Tensor,
    { alpha = 1 }: { alpha?: number } = {},
  ): Tensor {
    return indexing.indexPutRows(this, dim, index, alpha === 1 ? source : source.mul(alpha), "add");
  }
  indexFill(dim: number, index: Index, value: number): Tensor {
    return indexing.indexPutRows(this, dim, index, value);
  }
  gather(dim: number, index: Tensor): Tensor {
    return indexing.gather(this, dim, index);
  }
  takeAlongDim(index: Tensor, dim: number): Tensor {
    return indexing.takeAlongDim(this, index, dim);
  }
  scatter(dim: number, index: Tensor, source: Operand): Tensor {
    return indexing.scatter(this, dim, index, source);
  }
  scatterAdd(dim: number, index: Tensor, source: Tensor): Tensor {
    return indexing.scatter(this, dim, index, source, "add");
  }
  scatterReduce(dim: number, index: Tensor, source: Tensor, reduce: ScatterReduction): Tensor {
    return indexing.scatter(this, dim, index, source, reduce);
  }
  /** NumPy's advanced indexing with positions; `null` keeps a dimension: `x.index([null, i])`. */
  index(entries: readonly IndexEntry[]): Tensor {
    return indexing.index(this, entries);
  }
  /** This tensor with `value` written, or added, where `index` would read. */
  indexPut(
    entries: readonly IndexEntry[],
    value: Operand,
    { accumulate = false }: { accumulate?: boolean } = {},
  ): Tensor {
    return indexing.indexPut(this, entries, value, accumulate);
  }
  maskedFill(mask: Tensor, value: Operand): Tensor {
    return indexing.maskedFill(this, mask, value);
  }
}

provideConstructor((content) => new Tensor(content));
