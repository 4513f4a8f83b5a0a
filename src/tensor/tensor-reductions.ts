import * as normal from "./functions/normalisation.ts";
import * as reductions from "./functions/reductions.ts";
import type { ReduceOptions, ValuesIndices, VarianceOptions } from "./functions/reductions.ts";
import * as statistics from "./functions/statistics.ts";
import type { Tensor } from "./tensor.ts";
import { TensorMath } from "./tensor-math.ts";

/** Methods of a tensor that combine elements along dimensions. */
export abstract class TensorReductions extends TensorMath {
  // Reductions and scans.
  /** The sum of all elements, or along `dim`; integers and bools are summed as int64. */
  sum(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.sum(this, options);
  }
  /** The mean of all elements, or along `dim`, of a tensor of floats. */
  mean(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.mean(this, options);
  }
  /** The product of all elements, or along `dim`; integers and bools are multiplied as int64. */
  prod(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.prod(this, options);
  }
  /** The largest element, or the largest along `dim`; equal ones share the gradient. */
  amax(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.amax(this, options);
  }
  /** The smallest element, or the smallest along `dim`; equal ones share the gradient. */
  amin(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.amin(this, options);
  }
  /** The largest element; or the largest along a dimension, and their indices. */
  max(this: Tensor): Tensor;
  max(this: Tensor, dim: number, keepdim?: boolean): ValuesIndices;
  max(this: Tensor, dim?: number, keepdim = false): Tensor | ValuesIndices {
    if (dim === undefined) return reductions.amax(this);
    return reductions.extreme("max", this, dim, keepdim);
  }
  /** The smallest element; or the smallest along a dimension, and their indices. */
  min(this: Tensor): Tensor;
  min(this: Tensor, dim: number, keepdim?: boolean): ValuesIndices;
  min(this: Tensor, dim?: number, keepdim = false): Tensor | ValuesIndices {
    if (dim === undefined) return reductions.amin(this);
    return reductions.extreme("min", this, dim, keepdim);
  }
  /** Smallest and largest elements. */
  aminmax(
    this: Tensor,
    options: ReduceOptions = {},
  ): { readonly min: Tensor; readonly max: Tensor } {
    return statistics.aminmax(this, options);
  }
  /** The middle element, the lower of two; along a dimension, also its index. */
  median(this: Tensor): Tensor;
  median(this: Tensor, dim: number, keepdim?: boolean): ValuesIndices;
  median(this: Tensor, dim?: number, keepdim = false): Tensor | ValuesIndices {
    if (dim === undefined) return statistics.medianOfAll(this);
    return statistics.median(this, dim, keepdim);
  }
  /** The k-th smallest element (k counts from 1) along a dimension, and its index. */
  kthvalue(this: Tensor, k: number, dim = -1, keepdim = false): ValuesIndices {
    return statistics.kthvalue(this, k, dim, keepdim);
  }
  /** The q-quantile along a dimension or of all elements, linear between neighbours. */
  quantile(this: Tensor, q: number, options: ReduceOptions = {}): Tensor {
    return statistics.quantile(this, q, options);
  }
  /** How many elements are not zero: int64. */
  countNonzero(this: Tensor, options: ReduceOptions = {}): Tensor {
    return statistics.countNonzero(this, options);
  }
  /** Sum of the elements that are not NaN. */
  nansum(this: Tensor, options: ReduceOptions = {}): Tensor {
    return statistics.nansum(this, options);
  }
  /** Mean of the elements that are not NaN. */
  nanmean(this: Tensor, options: ReduceOptions = {}): Tensor {
    return statistics.nanmean(this, options);
  }
  /** Differences of neighbours along a dimension, taken n times. */
  diff(
    this: Tensor,
    { n = 1, dim = -1 }: { readonly n?: number; readonly dim?: number } = {},
  ): Tensor {
    return statistics.diff(this, n, dim);
  }
  /** int64: the index of the first largest element along `dim`, or in the flattened tensor. */
  argmax(this: Tensor, dim?: number, keepdim = false): Tensor {
    return reductions.argExtreme("argmax", this, dim, keepdim);
  }
  /** int64: the index of the first smallest element along `dim`, or in the flattened tensor. */
  argmin(this: Tensor, dim?: number, keepdim = false): Tensor {
    return reductions.argExtreme("argmin", this, dim, keepdim);
  }
  /** bool: whether any element is not zero, of all or along `dim`. */
  any(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.any(this, options);
  }
  /** bool: whether every element is not zero, of all or along `dim`. */
  all(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.all(this, options);
  }
  /** The variance, by default divided by n - 1; `correction: 0` divides by n. */
  var(this: Tensor, options: VarianceOptions = {}): Tensor {
    return reductions.variance(this, options);
  }
  /** The standard deviation, by default with n - 1; `correction: 0` divides by n. */
  std(this: Tensor, options: VarianceOptions = {}): Tensor {
    return reductions.standardDeviation(this, options);
  }
  /** The Lᵖ norm of all elements, or of the vectors along `dim`; by default the Euclidean one. */
  norm(this: Tensor, p = 2, options: ReduceOptions = {}): Tensor {
    return reductions.norm(this, p, options);
  }
  /** log(sum(exp(x))) of all elements or along `dim`, without overflow. */
  logsumexp(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.logsumexp(this, options);
  }
  /** The running sum along `dim`; integers and bools are summed as int64. */
  cumsum(this: Tensor, dim: number): Tensor {
    return reductions.cumsum(this, dim);
  }
  /** The running product along `dim`. */
  cumprod(this: Tensor, dim: number): Tensor {
    return reductions.cumprod(this, dim);
  }
  /** The `k` largest elements (or smallest) along `dim` and their indices, best first. */
  topk(
    this: Tensor,
    k: number,
    { dim = -1, largest = true }: { dim?: number; largest?: boolean } = {},
  ): ValuesIndices {
    return reductions.topk(this, k, dim, largest);
  }
  /**
   * The elements in ascending order along `dim`, and their indices; equal ones keep their order.
   */
  sort(
    this: Tensor,
    { dim = -1, descending = false }: { dim?: number; descending?: boolean } = {},
  ): ValuesIndices {
    return reductions.sort(this, dim, descending);
  }
  /** int64: the indices that would sort the tensor along `dim`. */
  argsort(this: Tensor, options: { dim?: number; descending?: boolean } = {}): Tensor {
    return this.sort(options).indices;
  }
  /** exp(x) / sum(exp(x)) along `dim`: numbers from 0 to 1 that add up to 1. */
  softmax(this: Tensor, dim: number): Tensor {
    return normal.softmax(this, dim);
  }
  /** The logarithm of {@link softmax} along `dim`, without overflow. */
  logSoftmax(this: Tensor, dim: number): Tensor {
    return normal.logSoftmax(this, dim);
  }
}
