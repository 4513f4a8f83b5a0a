import { internal } from "../../base/errors.ts";
import { allocate, type TypedArray } from "../../tensor/dtype.ts";
import { numel, type Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Typed arrays of one kind, of which the compiler does not know which. */
interface Settable {
  set(part: TypedArray, at: number): void;
}

/** How the numbers of one place along a dimension lie: `outer` pieces of `inner` numbers. */
function layout(shape: Shape, axis: number): { outer: number; size: number; inner: number } {
  const [outer, inner] = [numel(shape.slice(0, axis)), numel(shape.slice(axis + 1))];
  return { outer, size: shape[axis] ?? 1, inner };
}

function valuesOf({ values }: Tensor): TypedArray {
  return values ?? internal("data without values");
}

/** The places of a dimension that rows name, put together: a copy. */
export function rowsOf(t: Tensor, axis: number, rows: readonly number[]): TypedArray {
  const shape = t.shape.map((n, dim) => (dim === axis ? rows.length : n));
  const parts = rows.map((row) => rowOf(valuesOf(t), t.shape, axis, row));
  return joinedRows(parts, t.dtype, shape, axis);
}

/** The numbers of one place along a dimension; where they lie together not a copy. */
export function rowOf(values: TypedArray, shape: Shape, axis: number, row: number): TypedArray {
  const { outer, size, inner } = layout(shape, axis);
  if (outer === 1) return values.subarray(row * inner, (row + 1) * inner);
  const part = values.slice(0, outer * inner);
  for (let i = 0; i < outer; i++) {
    const at = (i * size + row) * inner;
    (part as Settable).set(values.subarray(at, at + inner), i * inner);
  }
  return part;
}

/** Rows side by side along a dimension. */
export function joinedRows(
  rows: readonly TypedArray[],
  dtype: Tensor["dtype"],
  shape: Shape,
  axis: number,
): TypedArray {
  const { outer, size, inner } = layout(shape, axis);
  const joined = allocate(dtype, numel(shape));
  for (const [row, part] of rows.entries()) {
    for (let i = 0; i < outer; i++) {
      const piece = outer === 1 ? part : part.subarray(i * inner, (i + 1) * inner);
      (joined as Settable).set(piece, (i * size + row) * inner);
    }
  }
  return joined;
}

/** A text that is the same for the same numbers: two hashes of 32 bits each. */
class Digest {
  #a = 0x811c9dc5;
  #b = 0x1b873593;

  add(bytes: Uint8Array): void {
    let [a, b] = [this.#a ^ bytes.length, this.#b];
    for (const byte of bytes) {
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0x85ebca6b);
      b ^= b >>> 13;
    }
    [this.#a, this.#b] = [a, b];
  }

  get text(): string {
    return `${(this.#a >>> 0).toString(36)}.${(this.#b >>> 0).toString(36)}`;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** What the data of an example is known by: the same for the same numbers, in whichever row it stands. */
export function rowKey(
  leaves: readonly (readonly [Tensor, number | "coordinates"])[],
  row: number,
): string {
  const digest = new Digest();
  for (const [t, axis] of leaves) {
    const values = rowOf(valuesOf(t), t.shape, axis === "coordinates" ? 0 : axis, row);
    const depth = t.shape.at(-1) ?? 1;
    // Which row it stands in is nothing that an example is known by.
    const isOwn = (_: unknown, i: number): boolean => i % depth !== 0;
    digest.add(bytesOf(axis === "coordinates" ? values.filter(isOwn) : values));
  }
  return digest.text;
}

/** What data that all examples share is known by. */
export function sharedKey(leaves: readonly Tensor[]): string {
  const digest = new Digest();
  for (const t of leaves) digest.add(bytesOf(valuesOf(t)));
  return digest.text;
}
