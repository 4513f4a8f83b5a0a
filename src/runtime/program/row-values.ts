import { internal } from "../../base/errors.ts";
import { allocate, type TypedArray } from "../../tensor/dtype.ts";
import { numel, type Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Typed arrays of one kind, of which the compiler does not know which. */
interface Settable {
  set(part: TypedArray, at: number): void;
}

/** How the numbers of a row lie. */
export interface Layout {
  /** How many pieces a row has. */
  readonly outer: number;
  /** How many rows there are; in each piece of the whole they lie side by side. */
  readonly rows: number;
  /** Numbers of a piece of a row. */
  readonly inner: number;
}

/**
 * How the numbers of a row lie.
 *
 * @param rows - How many rows there are, where the dimension has several places for each.
 */
export function layout(shape: Shape, axis: number, rows: number = shape[axis] ?? 1): Layout {
  const outer = numel(shape.slice(0, axis));
  return { outer, rows, inner: numel(shape) / Math.max(1, outer * rows) };
}

/** A shape with so many rows in the place of others along a dimension. */
export function withRows(shape: Shape, axis: number, from: number, to: number): Shape {
  return shape.map((n, dim) => (dim === axis ? (n / from) * to : n));
}

/**
 * The lower and the upper halves of whole numbers, one after the other: of those that are small, the
 * numbers and zeros, which take no BigInt each.
 */
export function halvesOf({ buffer, byteOffset, length }: BigInt64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, 2 * length);
}

/** Small numbers, from 0, as int64. */
export function smallInts(numbers: readonly number[]): BigInt64Array {
  const values = new BigInt64Array(numbers.length);
  const halves = halvesOf(values);
  numbers.forEach((n, i) => {
    halves[2 * i] = n;
  });
  return values;
}

/** The numbers of a tensor that holds them. */
export function valuesOf({ values }: Tensor): TypedArray {
  return values ?? internal("data without values");
}

/** Rows of numbers put together, one of `total` for each place: a copy. */
export function rowsOf(
  values: TypedArray,
  { shape, dtype }: Pick<Tensor, "shape" | "dtype">,
  axis: number,
  { rows, total = shape[axis] ?? 1 }: { readonly rows: ArrayLike<number>; readonly total?: number },
): TypedArray {
  const { outer, inner } = layout(shape, axis, total);
  const joined = allocate(dtype, outer * rows.length * inner);
  for (let i = 0; i < outer; i++) {
    for (let to = 0; to < rows.length; to++) {
      const at = (i * total + (rows[to] ?? 0)) * inner;
      const piece = values.subarray(at, at + inner);
      (joined as Settable).set(piece, (i * rows.length + to) * inner);
    }
  }
  return joined;
}

/** The numbers of one row; where they lie together not a copy. */
export function rowOf(
  values: TypedArray,
  shape: Shape,
  axis: number,
  row: number,
  rows?: number,
): TypedArray {
  const { outer, inner, rows: total } = layout(shape, axis, rows);
  if (outer === 1) return values.subarray(row * inner, (row + 1) * inner);
  const part = values.slice(0, outer * inner);
  for (let i = 0; i < outer; i++) {
    const at = (i * total + row) * inner;
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
  const { outer, rows: size, inner } = layout(shape, axis);
  const joined = allocate(dtype, numel(shape));
  for (const [row, part] of rows.entries()) {
    for (let i = 0; i < outer; i++) {
      const piece = outer === 1 ? part : part.subarray(i * inner, (i + 1) * inner);
      (joined as Settable).set(piece, (i * size + row) * inner);
    }
  }
  return joined;
}
