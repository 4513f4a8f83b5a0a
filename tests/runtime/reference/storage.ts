import type { DType, TypedArray } from "tsvene";
import { type HostArray, make, type Num } from "./host-array.ts";

const bits = new DataView(new ArrayBuffer(4));

/** The number that 16 bits of a float16 stand for. */
function fromHalf(pattern: number): number {
  const sign = pattern & 0x8000 ? -1 : 1;
  const exponent = (pattern >> 10) & 31;
  const fraction = pattern & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of a number that a float16 holds. */
function toHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  if (Number.isNaN(x)) return 0x7e00;
  if (size === Infinity) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}

/** A bfloat16 is the first half of a float32. */
function fromBrain(pattern: number): number {
  bits.setUint32(0, pattern << 16);
  return bits.getFloat32(0);
}

function toBrain(x: number): number {
  bits.setFloat32(0, x);
  return bits.getUint16(0);
}

/** How elements are stored: read from and written to the arrays that tensors hold. */
interface Storage {
  readonly read: (values: TypedArray) => readonly Num[];
  readonly write: (values: readonly Num[]) => TypedArray;
}

const numbers = (values: readonly Num[]): number[] => values.map(Number);
const wholes = (values: TypedArray): readonly bigint[] => Array.from(values, BigInt);
const reals = (values: TypedArray): readonly number[] => Array.from(values, Number);

const STORAGE: { readonly [K in DType]: Storage } = {
  float64: { read: reals, write: (values) => Float64Array.from(numbers(values)) },
  float32: { read: reals, write: (values) => Float32Array.from(numbers(values)) },
  float16: {
    read: (values) => reals(values).map(fromHalf),
    write: (values) => Uint16Array.from(numbers(values), toHalf),
  },
  bfloat16: {
    read: (values) => reals(values).map(fromBrain),
    write: (values) => Uint16Array.from(numbers(values), toBrain),
  },
  int64: { read: wholes, write: (values) => BigInt64Array.from(values, BigInt) },
  int32: { read: wholes, write: (values) => Int32Array.from(numbers(values)) },
  int8: { read: wholes, write: (values) => Int8Array.from(numbers(values)) },
  uint8: { read: wholes, write: (values) => Uint8Array.from(numbers(values)) },
  bool: { read: reals, write: (values) => Uint8Array.from(numbers(values)) },
};

/** What a tensor holds. */
export function fromStorage(shape: readonly number[], dtype: DType, values: TypedArray): HostArray {
  return make(shape, dtype, STORAGE[dtype].read(values));
}

/** An array as a tensor holds it. */
export function toStorage({ dtype, values }: HostArray): TypedArray {
  return STORAGE[dtype].write(values);
}
