import type { DType } from "tsvene";

/** An element: a bigint if the type is that of integers, otherwise a number; `bool` is 0 and 1. */
export type Num = number | bigint;

/** Sizes of dimensions, or a place along each. */
export type Sizes = readonly number[];

/** A tensor in the plainest form: its elements one after another, in row-major order. */
export interface HostArray {
  readonly shape: Sizes;
  readonly dtype: DType;
  readonly values: readonly Num[];
}

/** The entry of a list, which is there. */
export function entry<T>(list: readonly T[], i: number): T {
  if (i < 0 || i >= list.length) throw new Error(`internal: no entry ${i} of ${list.length}`);
  return list[i] as T;
}

/** Number of elements. */
export function count(shape: Sizes): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Every index of a shape, in row-major order. */
export function indices(shape: Sizes): Sizes[] {
  return Array.from({ length: count(shape) }, (_, i) => unflat(i, shape));
}

/** The index of the i-th element. */
function unflat(i: number, shape: Sizes): Sizes {
  const index: number[] = [];
  for (const size of [...shape].reverse()) {
    index.push(i % size);
    i = Math.floor(i / size);
  }
  return index.reverse();
}

/** Where an index is among the elements. */
export function flat(index: Sizes, shape: Sizes): number {
  return shape.reduce((at, size, d) => at * size + entry(index, d), 0);
}

/** The element at an index. */
export function get(x: HostArray, index: Sizes): Num {
  return entry(x.values, flat(index, x.shape));
}

/** The element at an index of a shape that the array is broadcast to. */
export function getBroadcast(x: HostArray, index: Sizes): Num {
  const own = index.slice(index.length - x.shape.length);
  return get(
    x,
    own.map((i, d) => (x.shape[d] === 1 ? 0 : i)),
  );
}

/** An array of elements, rounded to what the type holds. */
export function make(shape: Sizes, dtype: DType, values: readonly Num[]): HostArray {
  return { shape, dtype, values: values.map(ROUND[dtype]) };
}

/** An array of what each index is given. */
export function build(shape: Sizes, dtype: DType, at: (index: Sizes) => Num): HostArray {
  return make(shape, dtype, indices(shape).map(at));
}

/** The shape that two are broadcast to. */
export function broadcast(a: Sizes, b: Sizes): Sizes {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const [x, y] = [a[d - rank + a.length] ?? 1, b[d - rank + b.length] ?? 1];
    return x === 1 ? y : x;
  });
}

/** An index with another place along one dimension. */
export function moved(index: Sizes, dim: number, to: number): Sizes {
  return index.map((i, d) => (d === dim ? to : i));
}

export function plus(a: Num, b: Num): Num {
  return typeof a === "bigint" && typeof b === "bigint" ? a + b : Number(a) + Number(b);
}

export function times(a: Num, b: Num): Num {
  return typeof a === "bigint" && typeof b === "bigint" ? a * b : Number(a) * Number(b);
}

/** A number as an element of the type. */
export function of(x: Num, dtype: DType): Num {
  return ROUND[dtype](x);
}

/** The sum of elements of the type. */
export function total(values: readonly Num[], dtype: DType): Num {
  return values.reduce(plus, of(0, dtype));
}

/** The nearest whole number, halves to the even one. */
export function roundToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** A number with so many digits after the point of its binary form, of which the first is not kept. */
function roundTo(digits: number, least: number, most: number): (x: Num) => number {
  return (given) => {
    const x = Number(given);
    if (x === 0 || !Number.isFinite(x)) return x;
    const exponent = Math.max(least, Math.floor(Math.log2(Math.abs(x))));
    const unit = 2 ** (exponent - digits);
    const rounded = roundToEven(x / unit) * unit;
    return Math.abs(rounded) > most ? Math.sign(x) * Infinity : rounded;
  };
}

/** Cut towards zero; what is no number of 64 bits becomes the least one, as processors have it. */
function whole(x: Num): bigint {
  if (typeof x === "bigint") return x;
  return Math.abs(x) < 2 ** 63 ? BigInt(Math.trunc(x)) : -(2n ** 63n);
}

const ROUND: { readonly [K in DType]: (x: Num) => Num } = {
  float64: Number,
  float32: (x) => Math.fround(Number(x)),
  float16: roundTo(10, -14, 65504),
  bfloat16: roundTo(7, -126, (2 - 2 ** -7) * 2 ** 127),
  int64: (x) => BigInt.asIntN(64, whole(x)),
  int32: (x) => BigInt.asIntN(32, whole(x)),
  int8: (x) => BigInt.asIntN(8, whole(x)),
  uint8: (x) => BigInt.asUintN(8, whole(x)),
  bool: (x) => (Number(x) === 0 ? 0 : 1),
};
