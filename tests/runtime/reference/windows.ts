import type { Ops } from "tsvene";
import { type Call, operand, type Rows } from "./call.ts";
import { build, entry, flat, get, type HostArray, indices, type Sizes } from "./host-array.ts";

type Windows = "conv" | "convTranspose" | "maxPool" | "maxPoolIndices";

/** Whether a place is in an array of these sizes. */
function isInside(place: Sizes, sizes: Sizes): boolean {
  return place.every((i, d) => i >= 0 && i < entry(sizes, d));
}

const product = (x: HostArray, i: Sizes, w: HostArray, j: Sizes): number =>
  Number(get(x, i)) * Number(get(w, j));

/** The k-th place of the window that makes an output. */
function windowPlace(out: Sizes, k: Sizes, a: { stride: Sizes; dilation: Sizes }, before: Sizes) {
  return out.map(
    (o, d) => o * entry(a.stride, d) + entry(k, d) * entry(a.dilation, d) - entry(before, d),
  );
}

const conv: Rows<"conv">["conv"] = (call) => {
  const [x, w, bias] = [operand(call, 0), operand(call, 1), call.inputs[2]];
  const a = call.attributes;
  const [batch = 0, , ...sizes] = x.shape;
  const [outer = 0, inner = 0, ...kernel] = w.shape;
  const before = a.padding.map(([first]) => first);
  const spatial = sizes.map((n, d) => {
    const [first, last] = entry(a.padding, d);
    const window = entry(a.dilation, d) * (entry(kernel, d) - 1) + 1;
    return Math.floor((n + first + last - window) / entry(a.stride, d)) + 1;
  });
  return build([batch, outer, ...spatial], call.dtype, ([b = 0, o = 0, ...out]) => {
    let sum = bias === undefined ? 0 : Number(get(bias, [o]));
    const group = Math.floor(o / (outer / a.groups));
    for (const k of indices(kernel)) {
      const place = windowPlace(out, k, a, before);
      if (!isInside(place, sizes)) continue;
      for (let c = 0; c < inner; c++) {
        sum += product(x, [b, group * inner + c, ...place], w, [o, c, ...k]);
      }
    }
    return sum;
  });
};

/** Each element of x adds the kernel, times itself, to a window of the result. */
const convTranspose: Rows<"convTranspose">["convTranspose"] = (call) => {
  const [x, w, bias] = [operand(call, 0), operand(call, 1), call.inputs[2]];
  const a = call.attributes;
  const [batch = 0, channels = 0, ...sizes] = x.shape;
  const [, inner = 0, ...kernel] = w.shape;
  const before = a.padding.map(([first]) => first);
  const spatial = sizes.map((n, d) => {
    const window = entry(a.dilation, d) * (entry(kernel, d) - 1) + 1;
    const [first, last] = entry(a.padding, d);
    return (n - 1) * entry(a.stride, d) + window + entry(a.outputPadding, d) - first - last;
  });
  const shape = [batch, inner * a.groups, ...spatial];
  const perGroup = channels / a.groups;
  const sums = indices(shape).map(([, o = 0]) => Number(bias === undefined ? 0 : get(bias, [o])));
  for (const [b = 0, c = 0, ...place] of indices(x.shape)) {
    const first = Math.floor(c / perGroup) * inner;
    for (const [o = 0, ...k] of indices([inner, ...kernel])) {
      const out = windowPlace(place, k, a, before);
      if (!isInside(out, spatial)) continue;
      const at = flat([b, first + o, ...out], shape);
      sums[at] = entry(sums, at) + product(x, [b, c, ...place], w, [c, o, ...k]);
    }
  }
  return build(shape, call.dtype, (index) => entry(sums, flat(index, shape)));
};

/** Places of the largest element of each window, the first of equal ones, among all elements. */
function largestPlaces(call: Call<Ops["maxPool"]>): HostArray {
  const x = operand(call, 0);
  const a = call.attributes;
  const [batch = 0, channels = 0, ...sizes] = x.shape;
  const spatial = sizes.map((n, d) => pooledSize(n, d, a));
  return build([batch, channels, ...spatial], "int64", ([b = 0, c = 0, ...out]) => {
    const inside = indices(a.kernel)
      .map((k) => windowPlace(out, k, a, a.padding))
      .filter((place) => isInside(place, sizes))
      .map((place) => flat([b, c, ...place], x.shape));
    return inside.reduce((best, at) => (entry(x.values, at) > entry(x.values, best) ? at : best));
  });
}

/** A last window that is cut off counts if it begins before the padding does, as torch has it. */
function pooledSize(n: number, d: number, a: Ops["maxPool"]): number {
  const [stride, padding] = [entry(a.stride, d), entry(a.padding, d)];
  const room = n + 2 * padding - entry(a.dilation, d) * (entry(a.kernel, d) - 1) - 1;
  const size = (a.ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  return a.ceilMode && (size - 1) * stride >= n + padding ? size - 1 : size;
}

export const windows: Rows<Windows> = {
  conv,
  convTranspose,
  maxPool: (call) => {
    const x = operand(call, 0);
    const places = largestPlaces(call);
    return build(places.shape, call.dtype, (index) => entry(x.values, Number(get(places, index))));
  },
  maxPoolIndices: largestPlaces,
};
