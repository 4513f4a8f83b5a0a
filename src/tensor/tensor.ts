import { leaf, provideConstructor } from "./ops/apply.ts";
import * as math from "./functions/arithmetic.ts";
import type { Operand } from "./functions/arithmetic.ts";
import { maskedSelect, nonzero, type Unique, unique } from "./functions/counting.ts";
import { outer } from "./functions/distance.ts";
import { dtypesOf, isFloat, type DType, type TypedArray } from "./dtype.ts";
import { fail } from "./errors.ts";
import { index, type IndexEntry, indexPut } from "./functions/advanced-indexing.ts";
import { diag, diagEmbed, diagonal } from "./functions/diagonals.ts";
import * as indexing from "./functions/indexing.ts";
import type { Index, ScatterReduce } from "./functions/indexing.ts";
import * as products from "./functions/linear-algebra.ts";
import type { OfShape } from "./ranked.ts";
import { checkShape, numel, type Shape, show } from "./shape.ts";
import * as shaping from "./functions/shaping.ts";
import { TensorReductions } from "./tensor-reductions.ts";

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
export class Tensor extends TensorReductions {
  /**
   * Wraps host values, without copying them.
   * @throws TensorError when the values do not fill the shape or cannot hold the dtype.
   */
  static fromData<const S extends Shape, D extends DType = "float32">(
    data: TypedArray,
    shape: S,
    dtype?: D,
    requiresGrad?: boolean,
  ): OfShape<S, D>;
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
    if (requiresGrad && !isFloat(type)) {
      fail("Tensor.fromData", `a tensor of ${type} has no gradient; leave requiresGrad out`);
    }
    if (data.length !== numel(shape)) {
      fail("Tensor.fromData", `${data.length} values do not fill shape ${show(shape)}`);
    }
    return leaf(data, shape, type, requiresGrad);
  }

  // Types and gradients.
  /** The values in another element type; towards zero for integers. Itself if it has that type. */
  to(dtype: DType): Tensor {
    return math.cast(this, dtype);
  }
  /** The values in the element type of `other`. */
  typeAs(other: Tensor): Tensor {
    return math.cast(this, other.dtype);
  }
  /** The values as float32. */
  float(): Tensor {
    return math.cast(this, "float32");
  }
  /** The values as float64. */
  double(): Tensor {
    return math.cast(this, "float64");
  }
  /** The values as float16. */
  half(): Tensor {
    return math.cast(this, "float16");
  }
  /** The values as int32, rounded towards zero. */
  int(): Tensor {
    return math.cast(this, "int32");
  }
  /** The values as int64, rounded towards zero. */
  long(): Tensor {
    return math.cast(this, "int64");
  }
  /** bool: where the elements are not zero. */
  bool(): Tensor {
    return math.cast(this, "bool");
  }
  /** The same values, cut off from the gradient. */
  detach(): Tensor {
    return math.detach(this);
  }

  // Products.
  /** Matrix product with torch's rules for vectors and batches. */
  matmul(other: Tensor): Tensor {
    return products.matmul(this, other);
  }
  /** Matrix product of two matrices. */
  mm(other: Tensor): Tensor {
    return products.ranked("mm", this, other, 2, 2);
  }
  /** Matrix products of two batches [batch, m, k] and [batch, k, n]. */
  bmm(other: Tensor): Tensor {
    return products.ranked("bmm", this, other, 3, 3);
  }
  /** Product of a matrix and a vector. */
  mv(other: Tensor): Tensor {
    return products.ranked("mv", this, other, 2, 1);
  }
  /** Sum of the products of two vectors' elements. */
  dot(other: Tensor): Tensor {
    return products.ranked("dot", this, other, 1, 1);
  }
  /** The products of all pairs of two vectors' elements. */
  outer(other: Tensor): Tensor {
    return outer(this, other);
  }
  /** beta x + alpha a b, for matrices a and b. */
  addmm(
    a: Tensor,
    b: Tensor,
    { beta = 1, alpha = 1 }: { readonly beta?: number; readonly alpha?: number } = {},
  ): Tensor {
    const own = beta === 1 ? this : this.mul(beta);
    return own.add(products.ranked("addmm", a, b, 2, 2), { alpha });
  }
  /** beta x + alpha a b, for batches of matrices a and b. */
  baddbmm(
    a: Tensor,
    b: Tensor,
    { beta = 1, alpha = 1 }: { readonly beta?: number; readonly alpha?: number } = {},
  ): Tensor {
    const own = beta === 1 ? this : this.mul(beta);
    return own.add(products.ranked("baddbmm", a, b, 3, 3), { alpha });
  }

  // Shape.
  /** The same elements, in row-major order, in another shape; one size may be -1. */
  reshape(shape: Shape): Tensor {
    return shaping.reshape(this, shape);
  }
  /** As {@link reshape}: there is no memory to share. */
  view(shape: Shape): Tensor {
    return shaping.reshape(this, shape);
  }
  /** The same elements in the shape of `other`. */
  reshapeAs(other: Tensor): Tensor {
    return shaping.reshape(this, other.shape);
  }
  /** One dimension as several; one size may be -1. */
  unflatten(dim: number, sizes: Shape): Tensor {
    return shaping.unflatten(this, dim, sizes);
  }
  /** The dimensions from `startDim` to `endDim` as one. */
  flatten(startDim = 0, endDim = -1): Tensor {
    return shaping.flatten(this, startDim, endDim);
  }
  /** Without the dimensions of size 1, or without those given if their size is 1. */
  squeeze(dim?: number | readonly number[]): Tensor {
    return shaping.squeeze(this, dim);
  }
  /** With a new dimension of size 1 at `dim`; -1 puts it last. */
  unsqueeze(dim: number): Tensor {
    return shaping.unsqueeze(this, dim);
  }
  /** The dimensions in another order: dimension i of the result is `dims[i]` of this tensor. */
  permute(dims: readonly number[]): Tensor {
    return shaping.permute(this, dims);
  }
  /** With two dimensions exchanged. */
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
  /** Transposes the last two dimensions. */
  get mT(): Tensor {
    return shaping.transpose(this, -2, -1);
  }
  /** With dimensions moved from places `from` to places `to`; the rest keep their order. */
  movedim(from: number | readonly number[], to: number | readonly number[]): Tensor {
    return shaping.movedim(this, from, to);
  }
  /** Repeated along dimensions of size 1, or new leading ones, to fill `shape`; -1 keeps a size. */
  expand(shape: Shape): Tensor {
    return shaping.expand(this, shape);
  }
  /** Repeated along dimensions of size 1 to the shape of `other`. */
  expandAs(other: Tensor): Tensor {
    return shaping.expand(this, other.shape);
  }
  /** As {@link expand}. */
  broadcastTo(shape: Shape): Tensor {
    return shaping.expand(this, shape);
  }
  /**
   * Copies of the whole tensor, `times[i]` along dimension i; more counts add leading dimensions.
   */
  repeat(times: readonly number[]): Tensor {
    return shaping.repeat(this, times);
  }
  /** As {@link repeat}, but fewer counts than dimensions count from the last one. */
  tile(times: readonly number[]): Tensor {
    return shaping.tile(this, times);
  }
  /** Each element `times` times in a row along a dimension, or in the flattened tensor. */
  repeatInterleave(times: number, dim?: number): Tensor {
    return shaping.repeatInterleave(this, times, dim);
  }
  /** The elements in reverse order along the given dimensions. */
  flip(dims: number | readonly number[]): Tensor {
    return shaping.flip(this, dims);
  }
  /** The elements in reverse order along dimension 1. */
  fliplr(): Tensor {
    return shaping.flip(this, 1);
  }
  /** The elements in reverse order along dimension 0. */
  flipud(): Tensor {
    return shaping.flip(this, 0);
  }
  /** Shifts along dimensions (of the flattened tensor without any); what falls off comes in again. */
  roll(shifts: number | readonly number[], dims?: number | readonly number[]): Tensor {
    return shaping.roll(this, shifts, dims);
  }
  /** Pieces along `dim`: of the given sizes, or of one size with a smaller last piece. */
  split(sizes: number | readonly number[], dim = 0): Tensor[] {
    return shaping.split(this, sizes, dim);
  }
  /** At most `chunks` pieces of equal size along `dim`, the last one smaller. */
  chunk(chunks: number, dim = 0): Tensor[] {
    return shaping.chunk(this, chunks, dim);
  }
  /** The slices along `dim`, each without that dimension. */
  unbind(dim = 0): Tensor[] {
    return shaping.unbind(this, dim);
  }
  /** The elements whose indices at `dim1` and `dim2` differ by `offset`, as a last dimension. */
  diagonal(offset = 0, dim1 = 0, dim2 = 1): Tensor {
    return diagonal(this, offset, dim1, dim2);
  }
  /** The diagonal of a matrix, or a matrix with this vector as its diagonal. */
  diag(offset = 0): Tensor {
    return diag(this, offset);
  }
  /** Matrices with the last dimension as their diagonals, in two new last dimensions. */
  diagEmbed(offset = 0): Tensor {
    return diagEmbed(this, offset);
  }
  /** Sum of a matrix's diagonal. */
  trace(): Tensor {
    return this.diagonal().sum();
  }
  /** Windows of `size` elements every `step` along a dimension, as a new last dimension. */
  unfold(dim: number, size: number, step: number): Tensor {
    return indexing.unfold(this, dim, size, step);
  }
  /**
   * The lower triangle of matrices [..., rows, columns], zero elsewhere; `diagonal` moves the
   * border up.
   */
  tril(diagonal = 0): Tensor {
    return shaping.triangle(this, false, diagonal);
  }
  /**
   * The upper triangle of matrices [..., rows, columns], zero elsewhere; `diagonal` moves the
   * border up.
   */
  triu(diagonal = 0): Tensor {
    return shaping.triangle(this, true, diagonal);
  }

  // Indexing. `slice` is x[..., start:end:step, ...]; positions may be negative.
  /**
   * x[..., start:end:step, ...] at `dim`; a negative bound counts from the end, a negative step
   * backwards.
   */
  slice(dim: number, start = 0, end: number = Infinity, step = 1): Tensor {
    return shaping.slice(this, dim, start, end, step);
  }
  /** `length` elements along `dim` from `start` on, all of which must exist. */
  narrow(dim: number, start: number, length: number): Tensor {
    return shaping.narrow(this, dim, start, length);
  }
  /**
   * The slice at one index of `dim`, without that dimension; a negative index counts from the end.
   */
  select(dim: number, index: number): Tensor {
    return shaping.select(this, dim, index);
  }
  /** This tensor with `value`, broadcast, in place of x[..., start:end, ...] at `dim`. */
  sliceAssign(dim: number, start: number, end: number, value: Operand): Tensor {
    return indexing.sliceAssign(this, dim, start, end, value);
  }
  /** The slices at `index` along `dim`; an index of several dimensions puts them all there. */
  indexSelect(dim: number, index: Index): Tensor {
    return indexing.indexSelect(this, dim, index);
  }
  /** This tensor with the slices at `index` along `dim` replaced by those of `source`. */
  indexCopy(dim: number, index: Index, source: Tensor): Tensor {
    return indexing.indexPutRows("indexCopy", this, dim, index, source);
  }
  /** This tensor with alpha `source` added to the slices at `index` along `dim`. */
  indexAdd(
    dim: number,
    index: Index,
    source: Tensor,
    { alpha = 1 }: { alpha?: number } = {},
  ): Tensor {
    const added = alpha === 1 ? source : source.mul(alpha);
    return indexing.indexPutRows("indexAdd", this, dim, index, added);
  }
  /** This tensor with the slices at `index` along `dim` filled with one number. */
  indexFill(dim: number, index: Index, value: number): Tensor {
    return indexing.indexPutRows("indexFill", this, dim, index, value);
  }
  /**
   * In the shape of `index`, the elements that it names along `dim`: x[i][index[i][j]] for dim 1.
   */
  gather(dim: number, index: Tensor): Tensor {
    return indexing.gather(this, dim, index);
  }
  /** As {@link gather}, with this tensor and `index` broadcast outside `dim`. */
  takeAlongDim(index: Tensor, dim: number): Tensor {
    return indexing.takeAlongDim(this, index, dim);
  }
  /** Elements of the flattened tensor. */
  take(index: Index): Tensor {
    return indexing.indexSelect(this.reshape([-1]), 0, index);
  }
  /** This tensor with `source` written where {@link gather} would read; a number fills. */
  scatter(dim: number, index: Tensor, source: Operand): Tensor {
    return indexing.scatter(this, dim, index, source);
  }
  /** This tensor with `source` added where {@link gather} would read. */
  scatterAdd(dim: number, index: Tensor, source: Tensor): Tensor {
    return indexing.scatter(this, dim, index, source, "add");
  }
  /** This tensor with `source` combined with the elements at `index`; only "sum" has a gradient. */
  scatterReduce(dim: number, index: Tensor, source: Tensor, reduce: ScatterReduce): Tensor {
    return indexing.scatterReduce(this, dim, index, source, reduce);
  }
  /** NumPy's advanced indexing with positions; `null` keeps a dimension: `x.index([null, i])`. */
  index(entries: readonly IndexEntry[]): Tensor {
    return index(this, entries);
  }
  /** This tensor with `value` written, or added, where `index` would read. */
  indexPut(
    entries: readonly IndexEntry[],
    value: Operand,
    { accumulate = false }: { accumulate?: boolean } = {},
  ): Tensor {
    return indexPut(this, entries, value, accumulate);
  }
  /** This tensor with `value` where a bool mask, which is broadcast, is true. */
  maskedFill(mask: Tensor, value: Operand): Tensor {
    return indexing.maskedFill(this, mask, value);
  }
  /** The elements where a bool mask is true, as a vector. Computes the mask only. */
  async maskedSelect(mask: Tensor): Promise<Tensor> {
    return maskedSelect(this, mask);
  }
  /** Indices of the elements that are not zero: int64 [count, dimensions]. Computes. */
  async nonzero(): Promise<Tensor> {
    return nonzero(this);
  }
  /** The distinct elements, ascending, how often and where they occur. Computes. */
  async unique(): Promise<Unique> {
    return unique(this);
  }
}

provideConstructor((content) => new Tensor(content));
