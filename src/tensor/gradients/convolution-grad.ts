import { apply } from "../ops/apply.ts";
import type { Convolution } from "../ops/ops.ts";
import type { Shape } from "../shape.ts";
import { reshape, slice, transpose } from "../functions/shaping.ts";
import type { Tensor } from "../tensor.ts";

const pair = (t: Tensor, i: number): number => t.shape[i + 2] ?? 1;

/** Rows or columns that no window of a strided convolution reached. */
function unreached(shape: Shape, kernel: Shape, out: Tensor, a: Convolution): number[] {
  return a.stride.map((stride, i) => {
    const [before, after] = a.padding[i] ?? [0, 0];
    const window = (a.dilation[i] ?? 1) * ((kernel[i + 2] ?? 1) - 1) + 1;
    return (shape[i + 2] ?? 0) + before + after - ((pair(out, i) - 1) * stride + window);
  });
}

export function convInputGrad(g: Tensor, w: Tensor, shape: Shape, a: Convolution): Tensor {
  return apply("convTranspose", [g, w], { ...a, outputPadding: unreached(shape, w.shape, g, a) });
}

/**
 * Gradient of a weight: the input convolved with the gradient as the kernel, batch and channels
 * exchanged; what was a stride is now a dilation.
 */
export function convWeightGrad(g: Tensor, x: Tensor, shape: Shape, a: Convolution): Tensor {
  const [n, c] = [x.shape[0] ?? 1, (x.shape[1] ?? 1) / a.groups];
  const out = (g.shape[1] ?? 1) / a.groups;
  // [n, groups * c, ...] -> [c, groups * n, ...]: each group's batch becomes its channels.
  const spatial = x.shape.slice(2);
  const grouped = transpose(reshape(x, [n, a.groups, c, ...spatial]), 0, 2);
  const kernel = transpose(g, 0, 1);
  const full = apply("conv", [reshape(grouped, [c, a.groups * n, ...spatial]), kernel], {
    stride: a.dilation,
    dilation: a.stride,
    padding: a.padding,
    groups: a.groups,
  });
  const cut = a.stride.reduce((t, _, i) => slice(t, i + 2, 0, shape[i + 2]), full);
  const split = transpose(reshape(cut, [c, a.groups * out, ...shape.slice(2)]), 0, 1);
  return reshape(split, shape);
}

export function transposeInputGrad(g: Tensor, w: Tensor, a: Convolution): Tensor {
  const { stride, padding, dilation, groups } = a;
  return apply("conv", [g, w], { stride, padding, dilation, groups });
}

export function transposeWeightGrad(g: Tensor, x: Tensor, shape: Shape, a: Convolution): Tensor {
  return convWeightGrad(x, g, shape, a);
}
