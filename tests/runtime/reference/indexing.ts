import type { Ops } from "tsvene";
import { TensorError } from "tsvene";
import { type Call, operand, type Rows } from "./call.ts";
import {
  build,
  entry,
  flat,
  get,
  type HostArray,
  indices,
  make,
  moved,
  type Num,
  plus,
  type Sizes,
  times,
} from "./host-array.ts";

type Indexing = "indexSelect" | "gather" | "scatter" | "gatherNd" | "scatterNd";

/** A position among `size`, of which a negative one counts from the end unless `least` is 0. */
function position(op: string, value: Num, size: number, least = -size): number {
  const i = Number(value);
  if (i >= least && i < size) return i < 0 ? i + size : i;
  throw new TensorError(
    `${op}: index ${i}, computed in this evaluation, is out of range; expected ${least} to ${size - 1}`,
  );
}

/** Every position that an index names, checked whether it is read or not. */
function positions(op: string, index: HostArray, size: number, least?: number): HostArray {
  const found = index.values.map((value) => BigInt(position(op, value, size, least)));
  return make(index.shape, "int64", found);
}

const indexSelect: Rows<"indexSelect">["indexSelect"] = (call) => {
  const x = operand(call, 0);
  const { dim, fromZero = false } = call.attributes;
  const size = entry(x.shape, dim);
  const [op, least] = fromZero ? ["embedding", 0] : ["indexSelect", -size];
  const at = positions(op, operand(call, 1), size, least);
  const depth = at.shape.length;
  const shape = [...x.shape.slice(0, dim), ...at.shape, ...x.shape.slice(dim + 1)];
  return build(shape, call.dtype, (index) => {
    const row = Number(get(at, index.slice(dim, dim + depth)));
    return get(x, [...index.slice(0, dim), row, ...index.slice(dim + depth)]);
  });
};

const gather: Rows<"gather">["gather"] = (call) => {
  const x = operand(call, 0);
  const { dim } = call.attributes;
  const at = positions("gather", operand(call, 1), entry(x.shape, dim));
  return build(at.shape, call.dtype, (index) => get(x, moved(index, dim, Number(get(at, index)))));
};

const COMBINE: { readonly [K in Ops["scatter"]["reduce"]]: (old: Num, written: Num) => Num } = {
  none: (_, written) => written,
  add: plus,
  mul: times,
  amax: (old, written) => (written > old ? written : old),
  amin: (old, written) => (written < old ? written : old),
};

/** An array with elements written to it, one after another. */
function written(
  call: Call<Ops["scatterNd"]>,
  writes: readonly (readonly [Sizes, Num])[],
): HostArray {
  const x = operand(call, 0);
  const values = [...x.values];
  for (const [index, value] of writes) {
    const at = flat(index, x.shape);
    values[at] = COMBINE[call.attributes.reduce](entry(values, at), value);
  }
  return make(x.shape, call.dtype, values);
}

const scatter: Rows<"scatter">["scatter"] = (call) => {
  const [x, source] = [operand(call, 0), operand(call, 2)];
  const { dim } = call.attributes;
  const at = positions("scatter", operand(call, 1), entry(x.shape, dim));
  const writes = indices(at.shape).map(
    (index) => [moved(index, dim, Number(get(at, index))), get(source, index)] as const,
  );
  return written(call, writes);
};

/** The leading coordinates in the last dimension of an index, by the dimensions before it. */
function points(op: string, x: HostArray, index: HostArray): (lead: Sizes) => Sizes {
  const depth = index.shape.at(-1) ?? 0;
  const found = make(
    index.shape,
    "int64",
    index.values.map((value, i) => BigInt(position(op, value, entry(x.shape, i % depth)))),
  );
  return (lead) => Array.from({ length: depth }, (_, i) => Number(get(found, [...lead, i])));
}

const gatherNd: Rows<"gatherNd">["gatherNd"] = (call) => {
  const [x, index] = [operand(call, 0), operand(call, 1)];
  const pointAt = points("index", x, index);
  const lead = index.shape.slice(0, -1);
  const shape = [...lead, ...x.shape.slice(index.shape.at(-1) ?? 0)];
  return build(shape, call.dtype, (at) =>
    get(x, [...pointAt(at.slice(0, lead.length)), ...at.slice(lead.length)]),
  );
};

const scatterNd: Rows<"scatterNd">["scatterNd"] = (call) => {
  const [x, index, source] = [operand(call, 0), operand(call, 1), operand(call, 2)];
  const pointAt = points("indexPut", x, index);
  const lead = index.shape.length - 1;
  const writes = indices(source.shape).map(
    (at) => [[...pointAt(at.slice(0, lead)), ...at.slice(lead)], get(source, at)] as const,
  );
  return written(call, writes);
};

export const indexing: Rows<Indexing> = { indexSelect, gather, scatter, gatherNd, scatterNd };
