import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "../io/half-arrays.ts";
import type { RawDType, RawTensor } from "../io/raw-tensor.ts";
import { type DType, isFloat, type TypedArray } from "../tensor/dtype.ts";
import { internal } from "../tensor/errors.ts";

/** Whether numbers of a file can be kept as a dtype: floats of any width as floats, others as is. */
export function fitsDType(raw: RawDType, dtype: DType): boolean {
  return raw === dtype || (raw !== "int16" && isFloat(raw) && isFloat(dtype));
}

/** The numbers as they are kept; those that are of the dtype already are not copied. */
export function valuesAs({ dtype: from, data }: RawTensor, dtype: DType): TypedArray {
  if (data instanceof Int16Array) internal("int16 was not refused");
  if (from === dtype) return data;
  const single = toFloat32(from, data);
  if (dtype === "float32") return single;
  if (dtype === "float16") return float32ToFloat16(single);
  if (dtype === "bfloat16") return float32ToBfloat16(single);
  return internal(`${from} was not refused for ${dtype}`);
}

function toFloat32(from: RawDType, data: TypedArray): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (!(data instanceof Uint16Array)) internal(`${from} was not refused`);
  return from === "float16" ? float16ToFloat32(data) : bfloat16ToFloat32(data);
}

/** Side of the squares that are turned one by one, so that both sides stay in the cache. */
const BLOCK = 32;

/** The transpose of a matrix [rows, columns], as a new array. */
export function transposed<T extends TypedArray>(data: T, rows: number, columns: number): T {
  const out = data.slice() as T;
  for (let top = 0; top < rows; top += BLOCK) {
    const bottom = Math.min(rows, top + BLOCK);
    for (let left = 0; left < columns; left += BLOCK) {
      const right = Math.min(columns, left + BLOCK);
      for (let j = left; j < right; j++) {
        for (let i = top; i < bottom; i++) out[j * rows + i] = data[i * columns + j] as T[number];
      }
    }
  }
  return out;
}
