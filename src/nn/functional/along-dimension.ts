import { leaf } from "../../tensor/ops/apply.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Weights of the inputs (columns) in each output (row) along one dimension. */
export type Rows = readonly ReadonlyMap<number, number>[];

/** A resampling of one dimension: each output is a weighted sum of the inputs at its place. */
export function alongDimension(x: Tensor, dim: number, rows: Rows): Tensor {
  const n = x.size(dim);
  const values = new Float32Array(rows.length * n);
  rows.forEach((weights, i) => weights.forEach((w, j) => (values[i * n + j] = w)));
  const matrix = leaf(values, [rows.length, n], "float32").to(x.dtype);
  const last = x.ndim - 1;
  if (dim === last) return x.matmul(matrix.transpose(0, 1));
  if (dim === last - 1) return matrix.matmul(x);
  return x.transpose(dim, last).matmul(matrix.transpose(0, 1)).transpose(dim, last);
}
