import { alongDimension } from "../../nn/functional/along-dimension.ts";
import * as F from "../../nn/functional/index.ts";
import { apply, leaf } from "../../tensor/ops/apply.ts";
import { ones } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { float, int, ints, text } from "../attributes.ts";
import { type Call, looksOf, operator, type Operators } from "../operator.ts";
import { resized } from "./resize.ts";

/** How a window moves, one entry a spatial dimension. */
interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Added before and after. */
  readonly pads: readonly (readonly [number, number])[];
}

/** What attributes say of a window. */
interface Said {
  readonly auto_pad: string;
  readonly dilations: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
}

const SAID = { auto_pad: text("NOTSET"), dilations: ints(), pads: ints(), strides: ints() };

function windowOf(sizes: readonly number[], kernel: readonly number[], said: Said): Window {
  const stride = said.strides ?? kernel.map(() => 1);
  const dilation = said.dilations ?? kernel.map(() => 1);
  const pads = kernel.map((k, i): readonly [number, number] => {
    const reach = (dilation[i] ?? 1) * (k - 1) + 1;
    const mode = said.auto_pad;
    if (mode === "NOTSET") return [said.pads?.[i] ?? 0, said.pads?.[i + kernel.length] ?? 0];
    if (mode === "VALID") return [0, 0];
    const [size, step] = [sizes[i] ?? 0, stride[i] ?? 1];
    const total = Math.max(0, (Math.ceil(size / step) - 1) * step + reach - size);
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    return mode === "SAME_UPPER" ? [less, more] : [more, less];
  });
  return { kernel, stride, dilation, pads };
}

function convolved(call: Call, said: Said & { readonly group: number }): Tensor {
  const [x, weight] = [call.tensor(0), call.tensor(1)];
  const bias = call.optional(2);
  const window = windowOf(x.shape.slice(2), weight.shape.slice(2), said);
  return apply("conv", [x, weight, ...(bias === undefined ? [] : [bias])], {
    stride: window.stride,
    dilation: window.dilation,
    padding: window.pads,
    groups: said.group,
  });
}

/** What attributes say of a transposed convolution. */
interface Spread extends Said {
  readonly group: number;
  readonly output_padding: readonly number[] | undefined;
  readonly output_shape: readonly number[] | undefined;
}

function spread(call: Call, said: Spread): Tensor {
  const [x, weight] = [call.tensor(0), call.tensor(1)];
  const bias = call.optional(2);
  const kernel = weight.shape.slice(2);
  const stride = said.strides ?? kernel.map(() => 1);
  const dilation = said.dilations ?? kernel.map(() => 1);
  const outputPadding = said.output_padding ?? kernel.map(() => 0);
  const padding = kernel.map((k, i): readonly [number, number] => {
    const [size, step, added] = [x.size(i + 2), stride[i] ?? 1, outputPadding[i] ?? 0];
    const whole = step * (size - 1) + added + ((k - 1) * (dilation[i] ?? 1) + 1);
    const wanted = said.output_shape?.at(i - kernel.length) ?? size * step;
    const isSame = said.auto_pad.startsWith("SAME");
    if (said.output_shape === undefined && !isSame) {
      return [said.pads?.[i] ?? 0, said.pads?.[i + kernel.length] ?? 0];
    }
    const total = Math.max(0, whole - wanted);
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    return said.auto_pad === "SAME_UPPER" ? [less, more] : [more, less];
  });
  return apply("convTranspose", [x, weight, ...(bias === undefined ? [] : [bias])], {
    stride,
    dilation,
    padding,
    outputPadding,
    groups: said.group,
  });
}

/** How many windows there are, and what they reach beyond the end. */
interface Reach {
  readonly counts: readonly number[];
  /** Added before and after, so that each window is whole. */
  readonly pads: readonly (readonly [number, number])[];
}

function reachOf(sizes: readonly number[], window: Window, ceil: boolean): Reach {
  const counts = sizes.map((size, i) => {
    const [before, after] = window.pads[i] ?? [0, 0];
    const step = window.stride[i] ?? 1;
    const steps = (size + before + after - spanOf(window, i)) / step;
    const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that begins in the padding at the end counts for nothing.
    return ceil && (count - 1) * step >= size + before ? count - 1 : count;
  });
  const pads = sizes.map((size, i): readonly [number, number] => {
    const [before, after] = window.pads[i] ?? [0, 0];
    const end = ((counts[i] ?? 1) - 1) * (window.stride[i] ?? 1) + spanOf(window, i);
    return [before, Math.max(after, end - size - before)];
  });
  return { counts, pads };
}

const spanOf = ({ kernel, dilation }: Window, i: number): number =>
  (dilation[i] ?? 1) * ((kernel[i] ?? 1) - 1) + 1;

/** What attributes say of a pooling. */
interface Pool extends Said {
  readonly ceil_mode: number;
  readonly kernel_shape: readonly number[] | undefined;
}

function poolingOf(call: Call, said: Pool): { x: Tensor; window: Window; reach: Reach } {
  const x = call.tensor(0);
  const sizes = x.shape.slice(2);
  const kernel = said.kernel_shape ?? call.fail("lacks the size of its window, kernel_shape");
  const window = windowOf(sizes, kernel, said);
  return { x, window, reach: reachOf(sizes, window, said.ceil_mode !== 0) };
}

const padsFor = ({ pads }: Reach): number[] =>
  pads
    .map((pair) => [...pair])
    .reverse()
    .flat();

function maxPooled(call: Call, said: Pool): Tensor | readonly Tensor[] {
  const { x, window, reach } = poolingOf(call, said);
  const filled = F.pad(x, padsFor(reach), { value: -Infinity });
  const { kernel, stride, dilation } = window;
  const none = kernel.map(() => 0);
  const pooling = { kernel, stride, dilation, padding: none, ceilMode: false };
  if (call.outputs === 1) return apply("maxPool", [filled], pooling);
  const values = apply("maxPool", [filled], pooling);
  const looks = looksOf(values);
  return call.native(looks, { ...looks, dtype: "int64" }) as Tensor[];
}

/** Sums of windows by a convolution with ones, over how many elements each has. */
function meanPooled(call: Call, said: Pool, countsPadding: boolean): Tensor {
  const { x, window, reach } = poolingOf(call, said);
  const sizes = x.shape.slice(2);
  const planes = x.reshape([x.size(0) * x.size(1), 1, ...sizes]);
  const weight = ones([1, 1, ...window.kernel], { dtype: x.dtype });
  const { stride, dilation } = window;
  const summed = apply("conv", [planes, weight], {
    stride,
    dilation,
    padding: reach.pads,
    groups: 1,
  });
  const sums = summed.reshape([x.size(0), x.size(1), ...reach.counts]);
  return reach.counts.reduce((y, count, i) => {
    const covered = Array.from({ length: count }, (_, k) =>
      countOf(k, sizes[i] ?? 0, window, i, countsPadding),
    );
    const shape = y.shape.map((_, d) => (d === i + 2 ? count : 1));
    return y.div(leaf(Float32Array.from(covered), shape, "float32").to(y.dtype));
  }, sums);
}

/** Elements of the k-th window along a dimension. */
function countOf(
  k: number,
  size: number,
  window: Window,
  i: number,
  countsPadding: boolean,
): number {
  const [before, after] = window.pads[i] ?? [0, 0];
  const [low, high] = countsPadding ? [-before, size + after] : [0, size];
  const start = k * (window.stride[i] ?? 1) - before;
  const places = Array.from(
    { length: window.kernel[i] ?? 1 },
    (_, j) => start + j * (window.dilation[i] ?? 1),
  );
  return Math.max(1, places.filter((at) => at >= low && at < high).length);
}

const spatial = (x: Tensor): number[] => x.shape.map((_, d) => d).slice(2);

const POOL = { ...SAID, ceil_mode: int(0), kernel_shape: ints() };

/** Operators that move a window over [batch, channels, ...spatial]. */
export const windows: Operators = {
  Conv: operator({ ...SAID, group: int(1), kernel_shape: ints() }, convolved),
  ConvTranspose: operator(
    { ...SAID, group: int(1), kernel_shape: ints(), output_padding: ints(), output_shape: ints() },
    spread,
  ),
  MaxPool: operator({ ...POOL, storage_order: int(0) }, maxPooled),
  AveragePool: operator({ ...POOL, count_include_pad: int(0) }, (call, said) =>
    meanPooled(call, said, said.count_include_pad !== 0),
  ),
  LpPool: operator({ ...POOL, p: int(2) }, (call, said) => {
    const { x, reach } = poolingOf(call, said);
    return call.native({ shape: [...x.shape.slice(0, 2), ...reach.counts], dtype: x.dtype });
  }),
  GlobalAveragePool: operator({}, (call) => {
    const x = call.tensor(0);
    return x.mean({ dim: spatial(x), keepdim: true });
  }),
  GlobalMaxPool: operator({}, (call) => {
    const x = call.tensor(0);
    return x.amax({ dim: spatial(x), keepdim: true });
  }),
  Resize: operator(
    {
      antialias: int(0),
      axes: ints(),
      coordinate_transformation_mode: text("half_pixel"),
      cubic_coeff_a: float(-0.75),
      exclude_outside: int(0),
      extrapolation_value: float(0),
      keep_aspect_ratio_policy: text("stretch"),
      mode: text("nearest"),
      nearest_mode: text("round_prefer_floor"),
    },
    (call, said) => {
      const plan = resized(call, said);
      if (plan === undefined) return call.fail("resizes in a way that is not known");
      const x = call.tensor(0);
      if ("looks" in plan) return call.native(plan.looks);
      return plan.axes.reduce((y, { dim, rows }) => alongDimension(y, dim, rows), x);
    },
  ),
  GridSample: operator(
    { align_corners: int(0), mode: text("linear"), padding_mode: text("zeros") },
    (call) => {
      const [x, grid] = [call.value(0), call.value(1)];
      const shape = [...x.shape.slice(0, 2), ...grid.shape.slice(1, -1)];
      return call.native({ shape, dtype: x.dtype });
    },
  ),
  RoiAlign: operator(
    {
      coordinate_transformation_mode: text("half_pixel"),
      mode: text("avg"),
      output_height: int(1),
      output_width: int(1),
      sampling_ratio: int(0),
      spatial_scale: float(1),
    },
    (call, { output_height: height, output_width: width }) => {
      const [x, boxes] = [call.value(0), call.value(1)];
      return call.native({
        shape: [boxes.shape[0] ?? 0, x.shape[1] ?? 0, height, width],
        dtype: x.dtype,
      });
    },
  ),
};
