import { type Call, type Interpret, operand, type Rows } from "./call.ts";
import {
  build,
  entry,
  get,
  type HostArray,
  indices,
  moved,
  type Num,
  of,
  plus,
  type Sizes,
  times,
  total,
} from "./host-array.ts";

type Reduction =
  | "sum" | "mean" | "amax" | "amin" | "prod" | "argmax" | "argmin" | "cumsum" | "topk"
  | "softmax" | "logSoftmax" | "layerNorm" | "rmsNorm"; // prettier-ignore

/** The elements along one dimension, through an index. */
function line(x: HostArray, index: Sizes, dim: number): readonly Num[] {
  return Array.from({ length: x.shape[dim] ?? 1 }, (_, i) => get(x, moved(index, dim, i)));
}

/** What is left of each group of elements that differ along `dims` only. */
function reduced(
  call: Call<{ readonly dims: Sizes; readonly keepdim: boolean }>,
  f: (values: readonly Num[]) => Num,
): HostArray {
  const x = operand(call, 0);
  const { dims, keepdim } = call.attributes;
  const kept = x.shape.map((_, d) => d).filter((d) => keepdim || !dims.includes(d));
  const shape = kept.map((d) => (dims.includes(d) ? 1 : entry(x.shape, d)));
  const group = indices(dims.map((d) => entry(x.shape, d)));
  return build(shape, call.dtype, (index) => {
    const full = x.shape.map((_, d) => (dims.includes(d) ? 0 : entry(index, kept.indexOf(d))));
    const place = (within: Sizes): Sizes => full.map((at, d) => within[dims.indexOf(d)] ?? at);
    return f(group.map((within) => get(x, place(within))));
  });
}

const extreme =
  (better: (a: Num, b: Num) => boolean): Rows<"amax">["amax"] =>
  (call) =>
    reduced(call, (values) => values.reduce((a, b) => (better(b, a) ? b : a)));

/** Positions of elements, the best first, and of equal ones the first. */
function ranked(values: readonly Num[], better: (a: Num, b: Num) => boolean): number[] {
  const order = (i: number, j: number): number => {
    const [a, b] = [entry(values, i), entry(values, j)];
    return Number(better(b, a)) - Number(better(a, b)) || i - j;
  };
  return values.map((_, i) => i).sort(order);
}

const more = (a: Num, b: Num): boolean => a > b;
const less = (a: Num, b: Num): boolean => a < b;

const position =
  (better: (a: Num, b: Num) => boolean): Rows<"argmax">["argmax"] =>
  (call) => {
    const { dim, keepdim } = call.attributes;
    const attributes = { dims: [dim], keepdim };
    return reduced({ ...call, attributes }, (values) => entry(ranked(values, better), 0));
  };

const topk: Rows<"topk">["topk"] = (call) => {
  const x = operand(call, 0);
  const { dim, largest } = call.attributes;
  const k = call.sizes[0]?.[0] ?? 0;
  return build(moved(x.shape, dim, k), call.dtype, (index) =>
    entry(ranked(line(x, index, dim), largest ? more : less), index[dim] ?? 0),
  );
};

const cumsum: Rows<"cumsum">["cumsum"] = (call) => {
  const x = operand(call, 0);
  const { dim, reverse } = call.attributes;
  return build(x.shape, call.dtype, (index) => {
    const values = line(x, index, dim);
    const at = index[dim] ?? 0;
    return (reverse ? values.slice(at) : values.slice(0, at + 1)).reduce(plus);
  });
};

/** Each element less the logarithm of the sum of the exponentials along the dimension. */
function logSoftmax(call: Call<{ readonly dim: number }>, f: (x: number) => number): HostArray {
  const x = operand(call, 0);
  const { dim } = call.attributes;
  return build(x.shape, call.dtype, (index) => {
    const values = line(x, index, dim).map(Number);
    const most = Math.max(...values);
    const sum = values.reduce((a, v) => a + Math.exp(v - most), 0);
    return f(Number(get(x, index)) - most - Math.log(sum));
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

/** Over the last dimensions: less the mean, if it is centred, and divided by the root of the mean square. */
const norm =
  (centred: boolean): Interpret<{ readonly axes: number; readonly eps: number }> =>
  (call) => {
    const [x, weight, bias] = [operand(call, 0), operand(call, 1), call.inputs[2]];
    const { axes, eps } = call.attributes;
    const lead = x.shape.length - axes;
    const group = indices(x.shape.slice(lead));
    return build(x.shape, call.dtype, (index) => {
      const values = group.map((at) => Number(get(x, [...index.slice(0, lead), ...at])));
      const centre = centred ? mean(values) : 0;
      const variance = mean(values.map((v) => (v - centre) ** 2));
      const normed = (Number(get(x, index)) - centre) / Math.sqrt(variance + eps);
      const own = index.slice(lead);
      const shift = bias === undefined ? 0 : Number(get(bias, own));
      return normed * Number(get(weight, own)) + shift;
    });
  };

export const reductions: Rows<Reduction> = {
  sum: (call) => reduced(call, (values) => total(values, call.dtype)),
  mean: (call) => reduced(call, (values) => mean(values.map(Number))),
  amax: extreme(more),
  amin: extreme(less),
  prod: (call) => reduced(call, (values) => values.reduce(times, of(1, call.dtype))),
  argmax: position(more),
  argmin: position(less),
  cumsum,
  topk,
  softmax: (call) => logSoftmax(call, Math.exp),
  logSoftmax: (call) => logSoftmax(call, (x) => x),
  layerNorm: norm(true),
  rmsNorm: norm(false),
};
