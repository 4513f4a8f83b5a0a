import { DirectLogits } from "../analysis/lenses/direct-logits-result.ts";
import { LensReading } from "../analysis/lenses/lens-reading.ts";
import { Effects } from "../analysis/results/effects.ts";
import { NamedArray } from "../analysis/results/named-array.ts";
import { internal } from "../base/errors.ts";
import { Explanation } from "../intervenable/explain/explanation.ts";

/** Classes of results, each of which is made anew of its fields. */
const CLASSES: Readonly<Record<string, new (fields: never) => object>> = {
  DirectLogits,
  Effects,
  Explanation,
  LensReading,
  NamedArray,
};

/** Marks an object that was one of a class. */
const CLASS = "~class";

/** A result as a message has it, with the buffers that it gives away. */
export interface Packed {
  readonly data: unknown;
  readonly buffers: ArrayBuffer[];
}

/** Makes a message of a result: objects of known classes by their fields, numbers as buffers of their own. */
export function pack(value: unknown): Packed {
  const buffers: ArrayBuffer[] = [];
  return { data: packed(value, buffers), buffers };
}

function packed(value: unknown, buffers: ArrayBuffer[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return givenAway(value as Float64Array, buffers);
  if (Array.isArray(value)) return value.map((item) => packed(item, buffers));
  const fields = Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, packed(field, buffers)]),
  );
  const name = Object.entries(CLASSES).find(([, kind]) => value instanceof kind)?.[0];
  return name === undefined ? fields : { [CLASS]: name, fields };
}

/** A copy, for whoever computed the numbers may still read them. */
function givenAway(values: Float64Array, buffers: ArrayBuffer[]): Float64Array {
  const copy = values.slice();
  buffers.push(copy.buffer);
  return copy;
}

/** The result that {@link pack} made a message of. */
export function unpack(data: unknown): unknown {
  if (typeof data !== "object" || data === null || ArrayBuffer.isView(data)) return data;
  if (Array.isArray(data)) return data.map(unpack);
  const { [CLASS]: name, fields } = data as Readonly<Record<string, unknown>>;
  if (name === undefined) {
    return Object.fromEntries(Object.entries(data).map(([key, field]) => [key, unpack(field)]));
  }
  const kind = typeof name === "string" ? CLASSES[name] : undefined;
  if (kind === undefined) internal("a result of a class that is not known");
  return new kind(unpack(fields) as never);
}
