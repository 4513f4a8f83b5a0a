import { CheckpointError } from "../checkpoint-error.ts";
import type { Checkpoint } from "../checkpoint.ts";
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "../half-arrays.ts";
import { FLOAT8_TABLES } from "./small-floats.ts";

/** 16-bit types that products are rounded to, as where the factors are of such a type. */
export type Rounding = "float16" | "bfloat16" | "float32";

/** Rounds numbers to a type, in their place. */
export function roundTo(type: Rounding, values: Float32Array): Float32Array {
  if (type === "float16") return float16ToFloat32(float32ToFloat16(values), values);
  if (type === "bfloat16") return bfloat16ToFloat32(float32ToBfloat16(values), values);
  return values;
}

/** The type that a tensor's numbers are computed with in the original: its own, if it is a float. */
export function roundingOf(checkpoint: Checkpoint, name: string): Rounding {
  const { dtype } = checkpoint.info(name);
  return dtype === "float16" || dtype === "bfloat16" ? dtype : "float32";
}

/** All numbers of a small tensor, such as scales. */
export async function readFloats(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  const { dtype, elementType } = checkpoint.info(name);
  const table = FLOAT8_TABLES.get(elementType);
  if (table !== undefined) {
    return Float32Array.from(await checkpoint.bytes(name), (byte) => table[byte] ?? NaN);
  }
  const { data } = await checkpoint.read(name);
  if (dtype === "float16") return float16ToFloat32(data as Uint16Array);
  if (dtype === "bfloat16") return bfloat16ToFloat32(data as Uint16Array);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

/** Throws that parts of a weight do not fit each other. */
export function misfit(checkpoint: Checkpoint, weight: string, what: string): never {
  throw new CheckpointError(`${checkpoint.location}: ${weight} is quantized, but ${what}`);
}

/** Names that end so, without the end. */
export function stems(checkpoint: Checkpoint, end: string): string[] {
  return checkpoint.names.flatMap((name) => (name.endsWith(end) ? name.slice(0, -end.length) : []));
}

/** Those of the names that the checkpoint has. */
export function present(checkpoint: Checkpoint, names: readonly string[]): string[] {
  return names.filter((name) => checkpoint.has(name));
}
