import type { DType, TypedArray } from "../tensor/dtype.ts";

/** Element types that files may hold: the tensor types, and `int16`, which tensors do not have. */
export type RawDType = DType | "int16";

/** Host storage of a {@link RawTensor}; `float16` and `bfloat16` are bit patterns in a `Uint16Array`. */
export type RawData = TypedArray | Int16Array;

/** A tensor as it lies in a file: row-major numbers, their type and shape, and nothing else. */
export interface RawTensor {
  /** Element type, which may be one that a `Tensor` cannot have. */
  readonly dtype: RawDType;
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** The elements in row-major order; 16-bit floats as bit patterns. */
  readonly data: RawData;
}

interface Storage {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): RawData;
}

const STORAGE: { readonly [K in RawDType]: Storage } = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** Every element type that a file may hold. */
export const rawDTypes: readonly RawDType[] = Object.keys(STORAGE) as RawDType[];

/** Bytes of one element. */
export function rawItemsize(dtype: RawDType): number {
  return STORAGE[dtype].BYTES_PER_ELEMENT;
}

/** True when `data` is the kind of array that holds elements of `dtype`. */
export function storesDType(data: unknown, dtype: RawDType): data is RawData {
  return data instanceof STORAGE[dtype];
}

/**
 * `bytes` seen as elements of `dtype`: without a copy when they are aligned for it, else of a copy.
 * Their number must be a multiple of the element size.
 */
export function viewAs(bytes: Uint8Array, dtype: RawDType): RawData {
  const storage = STORAGE[dtype];
  const aligned = bytes.byteOffset % storage.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  const length = aligned.byteLength / storage.BYTES_PER_ELEMENT;
  return new storage(aligned.buffer, aligned.byteOffset, length);
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(data: RawData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
