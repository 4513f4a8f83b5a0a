import { rowOf, valuesOf } from "../../runtime/program/row-values.ts";
import type { TypedArray } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";

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
  rows: number,
): string {
  const digest = new Digest();
  for (const [t, axis] of leaves) {
    const values = rowOf(valuesOf(t), t.shape, axis === "coordinates" ? 0 : axis, row, rows);
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
