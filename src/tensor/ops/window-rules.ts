import { fail } from "../errors.ts";
import type { Convolution, Ops, Pooling } from "./ops.ts";
import { input, type Rule } from "./rule.ts";
import { show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

function checkConv(op: string, x: Tensor, w: Tensor, channels: number, spatial: number): void {
  const rank = spatial + 2;
  if (x.dtype === "float64") fail(op, 'float64 is not supported here; use to("float32") first');
  if (x.dtype !== w.dtype) fail(op, `input is ${x.dtype} but weight is ${w.dtype}; convert one`);
  if (x.shape.length !== rank || w.shape.length !== rank) {
    fail(
      op,
      `input ${show(x.shape)} and weight ${show(w.shape)} must both have ${rank} dimensions`,
    );
  }
  if (x.shape[1] !== channels) {
    fail(
      op,
      `input ${show(x.shape)} has ${x.shape[1]} channels; weight ${show(w.shape)} wants ${channels}`,
    );
  }
}

export const conv: Rule<Ops["conv"]> = (inputs, a: Convolution) => {
  const [x, w, b] = [input(inputs, 0), input(inputs, 1), inputs[2]];
  const op = `conv${a.stride.length}d`;
  checkConv(op, x, w, (w.shape[1] ?? 0) * a.groups, a.stride.length);
  if (b !== undefined && show(b.shape) !== show([w.shape[0] ?? 0])) {
    fail(op, `bias ${show(b.shape)} does not fit weight ${show(w.shape)}`);
  }
  const spatial = a.stride.map((stride, i) => {
    const [before, after] = a.padding[i] ?? [0, 0];
    const window = (a.dilation[i] ?? 1) * ((w.shape[i + 2] ?? 1) - 1) + 1;
    const room = (x.shape[i + 2] ?? 0) + before + after - window;
    if (room < 0) {
      fail(op, `input ${show(x.shape)} is smaller than the kernel ${show(w.shape)}`);
    }
    return Math.floor(room / stride) + 1;
  });
  return { shape: [x.shape[0] ?? 0, w.shape[0] ?? 0, ...spatial], dtype: x.dtype };
};

export const convTranspose: Rule<Ops["convTranspose"]> = (inputs, a) => {
  const [x, w] = [input(inputs, 0), input(inputs, 1)];
  const op = `convTranspose${a.stride.length}d`;
  checkConv(op, x, w, w.shape[0] ?? 0, a.stride.length);
  const spatial = a.stride.map((stride, i) => {
    const [before, after] = a.padding[i] ?? [0, 0];
    const window = (a.dilation[i] ?? 1) * ((w.shape[i + 2] ?? 1) - 1) + 1;
    const full = ((x.shape[i + 2] ?? 0) - 1) * stride + window + (a.outputPadding[i] ?? 0);
    const size = full - before - after;
    if (size < 1) fail(op, `padding ${before} leaves nothing of ${full} elements`);
    return size;
  });
  return { shape: [x.shape[0] ?? 0, (w.shape[1] ?? 0) * a.groups, ...spatial], dtype: x.dtype };
};

/** Output size of a pooling window along one dimension, by torch's rule for `ceilMode`. */
export function pooledSize(n: number, i: number, a: Pooling): number {
  const [kernel, stride, padding] = [a.kernel[i] ?? 1, a.stride[i] ?? 1, a.padding[i] ?? 0];
  const room = n + 2 * padding - (a.dilation[i] ?? 1) * (kernel - 1) - 1;
  const out = (a.ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  return a.ceilMode && (out - 1) * stride >= n + padding ? out - 1 : out;
}

export const pool =
  (dtype: "values" | "indices"): Rule<Ops["maxPool"]> =>
  (inputs, a) => {
    const x = input(inputs, 0);
    const op = `maxPool${a.kernel.length}d`;
    if (x.shape.length !== a.kernel.length + 2) {
      fail(op, `expected [batch, channels, ${a.kernel.length} spatial dims], got ${show(x.shape)}`);
    }
    const spatial = a.kernel.map((_, i) => pooledSize(x.shape[i + 2] ?? 0, i, a));
    if (spatial.some((n) => n < 1)) {
      fail(op, `input ${show(x.shape)} is smaller than the window`);
    }
    return {
      shape: [...x.shape.slice(0, 2), ...spatial],
      dtype: dtype === "values" ? x.dtype : "int64",
    };
  };
