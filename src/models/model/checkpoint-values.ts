import type { Checkpoint } from "../../formats/checkpoint.ts";
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "../../formats/half-arrays.ts";
import type { RawData, RawDType } from "../../formats/raw-tensor.ts";
import { allocate, type DType, isFloat, itemsize, type TypedArray } from "../../tensor/dtype.ts";
import { internal } from "../../base/errors.ts";
import { refuseOverflow } from "../../tensor/overflow.ts";
import { numel } from "../../tensor/shape.ts";

/** Whether numbers of a file can be kept as a dtype: floats of any width as floats, others as is. */
export function fitsDType(raw: RawDType, dtype: DType): boolean {
  return raw === dtype || (raw !== "int16" && isFloat(raw) && isFloat(dtype));
}

/** Writes numbers of a file as they are kept, into as many places. */
export function convert(data: RawData, from: RawDType, dtype: DType, into: TypedArray): void {
  if (data instanceof Int16Array) internal("int16 was not refused");
  if (from === dtype) into.set(data as never);
  else if (dtype === "float32") toFloat32(data, from, into as Float32Array);
  else if (dtype === "float16") float32ToFloat16(toFloat32(data, from), into as Uint16Array);
  else if (dtype === "bfloat16") float32ToBfloat16(toFloat32(data, from), into as Uint16Array);
  else internal(`${from} was not refused for ${dtype}`);
}

function toFloat32(data: TypedArray, from: RawDType, into?: Float32Array): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Uint16Array) {
    return from === "float16" ? float16ToFloat32(data, into) : bfloat16ToFloat32(data, into);
  }
  const single = into ?? new Float32Array(data.length);
  single.set(data as Float64Array);
  return single;
}

/** Side of the squares that are turned one by one, so that both sides stay in the cache. */
const BLOCK = 32;

/** Rows of a matrix, the first of which is number `top` of all. */
interface Rows {
  readonly data: TypedArray;
  readonly top: number;
  readonly columns: number;
}

/** Writes rows as columns of a matrix [columns, rows in all]. */
export function transposeInto(out: TypedArray, { data, top, columns }: Rows): void {
  const [count, rows] = [data.length / columns, out.length / columns];
  for (let first = 0; first < count; first += BLOCK) {
    const last = Math.min(count, first + BLOCK);
    for (let left = 0; left < columns; left += BLOCK) {
      const right = Math.min(columns, left + BLOCK);
      for (let j = left; j < right; j++) {
        const to = j * rows + top;
        for (let i = first; i < last; i++) out[to + i] = data[i * columns + j] as never;
      }
    }
  }
}

/** Bytes that are read at a time. */
const PART_BYTES = 1 << 22;

/**
 * Reads tensors of a checkpoint as a model keeps them. What is kept otherwise than in the file goes
 * through one buffer, part by part, so that no tensor lies in memory twice.
 */
export class ValueReader {
  readonly checkpoint: Checkpoint;
  #buffer: Uint8Array | undefined;
  #converted: TypedArray | undefined;

  constructor(checkpoint: Checkpoint) {
    this.checkpoint = checkpoint;
  }

  /** The numbers of a tensor; of a matrix [rows, columns] transposed, if the model keeps it so. */
  async read(name: string, dtype: DType, isTransposed: boolean): Promise<TypedArray> {
    const { dtype: from, shape } = this.checkpoint.info(name);
    if (from === undefined) internal(`the element type of ${name} was not refused`);
    if (from === dtype && !isTransposed) {
      return (await this.checkpoint.read(name)).data as TypedArray;
    }
    const values = allocate(dtype, numel(shape));
    const columns = isTransposed ? (shape[1] ?? 1) : 1;
    let at = 0;
    for await (const part of this.checkpoint.parts(name, this.#bufferFor(columns))) {
      if (isTransposed) {
        const data = this.#convertedPart(part, from, dtype);
        transposeInto(values, { data, top: at / columns, columns });
      } else convert(part, from, dtype, values.subarray(at, at + part.length));
      if (from !== "int16") {
        refuseOverflow("fromPretrained", name, { values: part, dtype: from, to: dtype });
      }
      at += part.length;
    }
    return values;
  }

  /** A buffer for whole rows of whatever element type. */
  #bufferFor(columns: number): Uint8Array {
    const row = columns * 8;
    const length = Math.max(row, PART_BYTES - (PART_BYTES % row));
    if (this.#buffer === undefined || this.#buffer.length < length) {
      this.#buffer = new Uint8Array(Math.max(length, PART_BYTES));
    }
    return this.#buffer.subarray(0, length);
  }

  #convertedPart(part: RawData, from: RawDType, dtype: DType): TypedArray {
    if (from === dtype) return part as TypedArray;
    const kept = this.#converted;
    const fits = kept !== undefined && kept.length >= part.length;
    const into = fits && kept.BYTES_PER_ELEMENT === itemsize(dtype) ? kept : allocate(dtype, part.length); // prettier-ignore
    this.#converted = into;
    convert(part, from, dtype, into.subarray(0, part.length));
    return into.subarray(0, part.length);
  }
}
