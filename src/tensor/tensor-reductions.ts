import * as normal from "./functions/normalisation.ts";
import * as reductions from "./functions/reductions.ts";
import type { ReduceOptions, ValuesIndices, VarianceOptions } from "./functions/reductions.ts";
import * as statistics from "./functions/statistics.ts";
import type { Tensor } from "./tensor.ts";
import { TensorMath } from "./tensor-math.ts";

/** Methods of a tensor that combine elements along dimensions. */
export abstract class TensorReductions extends TensorMath {
  // Reductions and scans.
  sum(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.sum(this, options);
  }
  mean(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.mean(this, options);
  }
  prod(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.prod(this, options);
  }
  amax(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.amax(this, options);
  }
  amin(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.amin(this, options);
  }
  /** The largest element; or the largest along a dimension, and where they stand. */
  max(this: Tensor): Tensor;
  max(this: Tensor, dim: number, keepdim?: boolean): ValuesIndices;
  max(this: Tensor, dim?: number, keepdim = false): Tensor | ValuesIndices {
    if (dim === undefined) return reductions.amax(this);
    return reductions.extreme("max", this, dim, keepdim);
  }
  /** The smallest element; or the smallest along a dimension, and where they stand. */
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
  /** The middle element, the lower of two; along a dimension, also where it stands. */
  median(this: Tensor): Tensor;
  median(this: Tensor, dim: number, keepdim?: boolean): ValuesIndices;
  median(this: Tensor, dim?: number, keepdim = false): Tensor | ValuesIndices {
    if (dim === undefined) return statistics.medianOfAll(this);
    return statistics.median(this, dim, keepdim);
  }
  /** The k-th smallest element (k counts from 1) along a dimension, and where it stands. */
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
  argmax(this: Tensor, dim?: number, keepdim = false): Tensor {
    return reductions.argExtreme("argmax", this, dim, keepdim);
  }
  argmin(this: Tensor, dim?: number, keepdim = false): Tensor {
    return reductions.argExtreme("argmin", this, dim, keepdim);
  }
  any(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.any(this, options);
  }
  all(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.all(this, options);
  }
  var(this: Tensor, options: VarianceOptions = {}): Tensor {
    return reductions.variance(this, options);
  }
  std(this: Tensor, options: VarianceOptions = {}): Tensor {
    return reductions.standardDeviation(this, options);
  }
  norm(this: Tensor, p = 2, options: ReduceOptions = {}): Tensor {
    return reductions.norm(this, p, options);
  }
  logsumexp(this: Tensor, options: ReduceOptions = {}): Tensor {
    return reductions.logsumexp(this, options);
  }
  cumsum(this: Tensor, dim: number): Tensor {
    return reductions.cumsum(this, dim);
  }
  cumprod(this: Tensor, dim: number): Tensor {
    return reductions.cumprod(this, dim);
  }
  topk(
    this: Tensor,
    k: number,
    { dim = -1, largest = true }: { dim?: number; largest?: boolean } = {},
  ): ValuesIndices {
    return reductions.topk(this, k, dim, largest);
  }
  sort(
    this: Tensor,
    { dim = -1, descending = false }: { dim?: number; descending?: boolean } = {},
  ): ValuesIndices {
    return reductions.sort(this, dim, descending);
  }
  argsort(this: Tensor, options: { dim?: number; descending?: boolean } = {}): Tensor {
    return this.sort(options).indices;
  }
  softmax(this: Tensor, dim: number): Tensor {
    return normal.softmax(this, dim);
  }
  logSoftmax(this: Tensor, dim: number): Tensor {
    return normal.logSoftmax(this, dim);
  }
}
