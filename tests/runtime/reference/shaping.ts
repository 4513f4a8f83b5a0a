import { type Call, operand, type Rows } from "./call.ts";
import {
  broadcast,
  build,
  entry,
  get,
  getBroadcast,
  type HostArray,
  make,
  moved,
  of,
  type Sizes,
} from "./host-array.ts";

type Shaping =
  | "constant" | "range" | "reshape" | "permute" | "expand" | "slice" | "concat" | "pad"
  | "trilu"; // prettier-ignore

function range({ sizes, dtype }: Call<unknown>): HostArray {
  const [start = 0, limit = 0, step = 1] = sizes.map((size) => entry(size, 0));
  const values: number[] = [];
  for (let v = start; step > 0 ? v < limit : v > limit; v += step) values.push(v);
  return make([values.length], dtype, values);
}

const permute: Rows<"permute">["permute"] = (call) => {
  const x = operand(call, 0);
  const { dims } = call.attributes;
  return build(
    dims.map((d) => entry(x.shape, d)),
    call.dtype,
    (index) => get(x, x.shape.map((_, d) => entry(index, dims.indexOf(d)))), // prettier-ignore
  );
};

/** Places from `start` to before `end`; a negative step's end counts from the size on. */
function places(start: number, end: number, step: number, size: number): number[] {
  const list: number[] = [];
  if (step < 0) for (let i = start; i > end + size; i += step) list.push(i);
  else for (let i = start; i < end; i += step) list.push(i);
  return list;
}

const slice: Rows<"slice">["slice"] = (call) => {
  const x = operand(call, 0);
  const { dims, steps } = call.attributes;
  const [starts = [], ends = []] = call.sizes;
  const read = x.shape.map((size, d) => {
    const i = dims.indexOf(d);
    if (i < 0) return places(0, size, 1, size);
    return places(entry(starts, i), entry(ends, i), entry(steps, i), size);
  });
  return build(
    read.map((list) => list.length),
    call.dtype,
    (index) => get(x, index.map((i, d) => entry(entry(read, d), i))), // prettier-ignore
  );
};

const concat: Rows<"concat">["concat"] = (call) => {
  const { dim } = call.attributes;
  const lengths = call.inputs.map(({ shape }) => entry(shape, dim));
  const whole = lengths.reduce((a, b) => a + b, 0);
  return build(moved(operand(call, 0).shape, dim, whole), call.dtype, (index) => {
    let [part, at] = [0, entry(index, dim)];
    for (; at >= entry(lengths, part); part++) at -= entry(lengths, part);
    return get(operand(call, part), moved(index, dim, at));
  });
};

/** Where a place outside of 0 to n - 1 reads, or undefined for the constant. */
const OUTSIDE = {
  constant: (): undefined => undefined,
  replicate: (i: number, n: number): number => Math.min(Math.max(i, 0), n - 1),
  reflect: (i: number, n: number): number => (i < 0 ? -i : 2 * (n - 1) - i),
} as const;

const pad: Rows<"pad">["pad"] = (call) => {
  const x = operand(call, 0);
  const { mode, value } = call.attributes;
  const rank = x.shape.length;
  const [pads = []] = call.sizes;
  const shape = x.shape.map((n, d) => n + entry(pads, d) + entry(pads, d + rank));
  return build(shape, call.dtype, (index) => {
    const read = index.map((i, d) => {
      const [at, n] = [i - entry(pads, d), entry(x.shape, d)];
      return at >= 0 && at < n ? at : OUTSIDE[mode](at, n);
    });
    return read.includes(undefined) ? of(value, call.dtype) : get(x, read as Sizes);
  });
};

const trilu: Rows<"trilu">["trilu"] = (call) => {
  const x = operand(call, 0);
  const diagonal = call.sizes[0]?.[0] ?? 0;
  return build(x.shape, call.dtype, (index) => {
    const above = (index.at(-1) ?? 0) - (index.at(-2) ?? 0) - diagonal;
    const stays = call.attributes.upper ? above >= 0 : above <= 0;
    return stays ? get(x, index) : of(0, call.dtype);
  });
};

export const shaping: Rows<Shaping> = {
  constant: ({ attributes: { value, dtype } }) => make([], dtype, [value]),
  range,
  reshape: (call) => make(call.sizes[0] ?? [], call.dtype, operand(call, 0).values),
  permute,
  expand: (call) => {
    const x = operand(call, 0);
    const shape = broadcast(x.shape, call.sizes[0] ?? []);
    return build(shape, call.dtype, (index) => getBroadcast(x, index));
  },
  slice,
  concat,
  pad,
  trilu,
};
