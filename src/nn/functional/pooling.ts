import { apply, leaf } from "../../tensor/ops/apply.ts";
import { constantLike } from "../../tensor/functions/arithmetic.ts";
import { ones } from "../../tensor/functions/creation.ts";
import { fail } from "../../tensor/errors.ts";
import type { Pooling } from "../../tensor/ops/ops.ts";
import { pooledSize } from "../../tensor/ops/window-rules.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { alongDimension, type Rows } from "./along-dimension.ts";
import { requireFloat } from "./check.ts";
import { batched, perDimension, type PerDimension } from "./spatial.ts";

/** Options of the max poolings. */
export interface MaxPoolOptions {
  /** @default the kernel */
  readonly stride?: PerDimension;
  /** Elements added on both sides that never win; at most half the kernel. @default 0 */
  readonly padding?: PerDimension;
  /** @default 1 */
  readonly dilation?: PerDimension;
  /** Let the last window reach over the end. @default false */
  readonly ceilMode?: boolean;
}

/** Largest value of each window of x [batch, channels, length]. */
export function maxPool1d(x: Tensor, kernel: PerDimension, options: MaxPoolOptions = {}): Tensor {
  return maxPool("maxPool1d", x, kernel, options, 1);
}

/** Largest value of each window of x [batch, channels, height, width]. */
export function maxPool2d(x: Tensor, kernel: PerDimension, options: MaxPoolOptions = {}): Tensor {
  return maxPool("maxPool2d", x, kernel, options, 2);
}

function maxPool(
  op: string,
  x: Tensor,
  kernel: PerDimension,
  options: MaxPoolOptions,
  spatial: number,
): Tensor {
  requireFloat(op, x);
  const window = windowOf(op, kernel, options, spatial);
  return batched(op, x, spatial, (y) => apply("maxPool", [y], window));
}

function windowOf(
  op: string,
  kernel: PerDimension,
  { stride = kernel, padding = 0, dilation = 1, ceilMode = false }: MaxPoolOptions,
  spatial: number,
): Pooling {
  const window = {
    kernel: perDimension(op, "kernel", kernel, spatial, 1),
    stride: perDimension(op, "stride", stride, spatial, 1),
    padding: perDimension(op, "padding", padding, spatial, 0),
    dilation: perDimension(op, "dilation", dilation, spatial, 1),
    ceilMode,
  };
  if (window.padding.some((n, i) => 2 * n > (window.kernel[i] ?? 1))) {
    fail(op, `padding ${show(window.padding)} is more than half the kernel ${show(window.kernel)}`);
  }
  return window;
}

/** Options of the average poolings. */
export interface AvgPoolOptions {
  /** @default the kernel */
  readonly stride?: PerDimension;
  /** Zeros added on both sides; at most half the kernel. @default 0 */
  readonly padding?: PerDimension;
  /** Let the last window reach over the end. @default false */
  readonly ceilMode?: boolean;
  /** Count the zeros of the padding in the mean. @default true */
  readonly countIncludePad?: boolean;
}

/** Mean of each window of x [batch, channels, length]. */
export function avgPool1d(x: Tensor, kernel: PerDimension, options: AvgPoolOptions = {}): Tensor {
  return avgPool("avgPool1d", x, kernel, options, 1);
}

/** Mean of each window of x [batch, channels, height, width]. */
export function avgPool2d(x: Tensor, kernel: PerDimension, options: AvgPoolOptions = {}): Tensor {
  return avgPool("avgPool2d", x, kernel, options, 2);
}

/** Sums windows by a convolution with ones, then divides by how many elements each has. */
function avgPool(
  op: string,
  x: Tensor,
  kernel: PerDimension,
  options: AvgPoolOptions,
  spatial: number,
): Tensor {
  requireFloat(op, x);
  const { countIncludePad = true } = options;
  const window = windowOf(op, kernel, options, spatial);
  return batched(op, x, spatial, (y) => {
    const sizes = y.shape.slice(2);
    const outputs = sizes.map((n, i) => pooledSize(n, i, window));
    if (outputs.some((n) => n < 1)) fail(op, `input ${show(y.shape)} is smaller than the window`);
    const planes = y.reshape([y.size(0) * y.size(1), 1, ...sizes]);
    const sums = apply("conv", [planes, ones([1, 1, ...window.kernel], { dtype: y.dtype })], {
      stride: window.stride,
      dilation: window.dilation,
      padding: sizes.map((n, i) => [window.padding[i] ?? 0, reach(n, i, outputs, window)] as const),
      groups: 1,
    }).reshape([...y.shape.slice(0, 2), ...outputs]);
    return outputs.reduce((z, count, i) => {
      const counts = Array.from({ length: count }, (_, k) =>
        covered(k, sizes[i] ?? 0, i, window, countIncludePad),
      );
      return z.div(alongAxis(counts, y, i + 2));
    }, sums);
  });
}

/** Zeros needed at the end so that the last window fits; negative where elements stay unread. */
function reach(n: number, i: number, outputs: readonly number[], a: Pooling): number {
  const last = ((outputs[i] ?? 1) - 1) * (a.stride[i] ?? 1) + (a.kernel[i] ?? 1);
  return Math.max(a.padding[i] ?? 0, last - n - (a.padding[i] ?? 0));
}

/** How many elements of a dimension the k-th window covers. */
function covered(k: number, n: number, i: number, a: Pooling, countPadding: boolean): number {
  const padding = a.padding[i] ?? 0;
  const start = k * (a.stride[i] ?? 1) - padding;
  const end = Math.min(start + (a.kernel[i] ?? 1), n + padding);
  return countPadding ? end - start : Math.min(end, n) - Math.max(start, 0);
}

function alongAxis(values: readonly number[], like: Tensor, dim: number): Tensor {
  if (values.every((v) => v === values[0])) return constantLike(values[0] ?? 1, like);
  const shape = like.shape.map((_, d) => (d === dim ? values.length : 1));
  return leaf(Float32Array.from(values), shape, "float32").to(like.dtype);
}

/** Mean over `size` windows that cover x [batch, channels, length] evenly. */
export function adaptiveAvgPool1d(x: Tensor, size: PerDimension): Tensor {
  return adaptive("adaptiveAvgPool1d", x, size, 1);
}

/** Mean over windows that cover x [batch, channels, height, width] evenly, `size` a dimension. */
export function adaptiveAvgPool2d(x: Tensor, size: PerDimension): Tensor {
  return adaptive("adaptiveAvgPool2d", x, size, 2);
}

function adaptive(op: string, x: Tensor, size: PerDimension, spatial: number): Tensor {
  requireFloat(op, x);
  const outputs = perDimension(op, "size", size, spatial, 1);
  return batched(op, x, spatial, (y) => {
    const dims = outputs.map((_, i) => i + 2);
    if (outputs.every((n) => n === 1)) return y.mean({ dim: dims, keepdim: true });
    return outputs.reduce((z, n, i) => alongDimension(z, i + 2, evenWindows(z.size(i + 2), n)), y);
  });
}

function evenWindows(n: number, count: number): Rows {
  return Array.from({ length: count }, (_, k) => {
    const start = Math.floor((k * n) / count);
    const end = Math.ceil(((k + 1) * n) / count);
    return new Map(Array.from({ length: end - start }, (_, j) => [start + j, 1 / (end - start)]));
  });
}
