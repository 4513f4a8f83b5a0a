import { encodeNumbers, leaf } from "../ops/apply.ts";
import { cast } from "./arithmetic.ts";
import { allocate, type DType, isFloat, type TypedArray } from "../dtype.ts";
import { fail } from "../errors.ts";
import { indexSelect } from "./indexing.ts";
import { sum } from "./reductions.ts";
import { broadcastShapes, numel, type Shape, show, stridesOf } from "../shape.ts";
import { expand, flatten, reshape, unsqueeze } from "./shaping.ts";
import { toNumbers } from "../tensor-core.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Values on the host, in plain numbers. The tensor itself is not evaluated, so that its gradient
 * lives on.
 */
export async function hostNumbers(x: Tensor): Promise<ArrayLike<number>> {
  return toNumbers(await x.detach().data(), x.dtype);
}

function int64(numbers: readonly number[], shape: Shape): Tensor {
  return leaf(encodeNumbers(numbers, "int64"), shape, "int64");
}

/** Flat positions of the elements that are not zero. */
async function positions(x: Tensor): Promise<number[]> {
  const numbers = await hostNumbers(x);
  return Array.from(numbers).flatMap((n, i) => (n === 0 ? [] : [i]));
}

/** Indices of the elements that are not zero: int64 [count, dimensions]. */
export async function nonzero(x: Tensor): Promise<Tensor> {
  const flat = await positions(x);
  const strides = stridesOf(x.shape);
  const rows = flat.flatMap((at) =>
    strides.map((stride, d) => Math.floor(at / stride) % (x.shape[d] ?? 1)),
  );
  return int64(rows, [flat.length, x.shape.length]);
}

/**
 * The elements where a bool mask is true, as a vector; x and mask broadcast. Only the mask is
 * computed: the result is lazy and has a gradient.
 */
export async function maskedSelect(x: Tensor, mask: Tensor): Promise<Tensor> {
  if (mask.dtype !== "bool") fail("maskedSelect", `mask must be bool, got ${mask.dtype}`);
  const shape = broadcastShapes("maskedSelect", x.shape, mask.shape);
  const at = await positions(expand(mask, shape));
  return indexSelect(flatten(expand(x, shape)), 0, int64(at, [at.length]));
}

/** How often each number occurs: int64, of length `minlength` or the largest number + 1. */
export async function bincount(
  x: Tensor,
  {
    weights,
    minlength = 0,
  }: {
    /** Counts of the elements. @default 1 */
    readonly weights?: Tensor;
    /** @default 0 */
    readonly minlength?: number;
  } = {},
): Promise<Tensor> {
  if (isFloat(x.dtype) || x.shape.length !== 1) {
    fail("bincount", `expected a vector of integers, got ${x.dtype} ${show(x.shape)}`);
  }
  if (weights !== undefined && numel(weights.shape) !== numel(x.shape)) {
    fail("bincount", `weights ${show(weights.shape)} must have the shape of x ${show(x.shape)}`);
  }
  const numbers = Array.from(await hostNumbers(x));
  const amounts = weights === undefined ? undefined : await hostNumbers(weights);
  const smallest = numbers.reduce((a, b) => Math.min(a, b), 0);
  if (smallest < 0) fail("bincount", `expected numbers of 0 or more, got ${smallest}`);
  const length = numbers.reduce((a, b) => Math.max(a, b + 1), minlength);
  const counts = Array.from({ length }, () => 0);
  numbers.forEach((n, i) => (counts[n] = (counts[n] ?? 0) + (amounts?.[i] ?? 1)));
  if (weights === undefined) return int64(counts, [length]);
  const dtype: DType = weights.dtype === "float32" ? "float32" : "float64";
  return leaf(encodeNumbers(counts, dtype), [length], dtype);
}

/** What {@link unique} finds. */
export interface Unique {
  /** The distinct elements, ascending. */
  readonly values: Tensor;
  /** int64, of the input's shape: the index of each element in `values`. */
  readonly inverse: Tensor;
  /** int64: how often each value occurs. */
  readonly counts: Tensor;
}

/** The distinct elements of a tensor. */
export async function unique(x: Tensor): Promise<Unique> {
  const data = await x.detach().data();
  const numbers = toNumbers(data, x.dtype);
  // BigInts are compared as such; each NaN counts for itself, as in torch.
  const keys: ArrayLike<number | bigint> = data instanceof BigInt64Array ? data : numbers;
  const order = Array.from({ length: keys.length }, (_, i) => i).sort((a, b) =>
    ascending(keys[a] ?? 0, keys[b] ?? 0),
  );
  const inverse = Array.from({ length: keys.length }, () => 0);
  const firsts: number[] = [];
  const counts: number[] = [];
  let previous: number | bigint | undefined;
  for (const i of order) {
    if (firsts.length === 0 || keys[i] !== previous) {
      firsts.push(i);
      counts.push(0);
    }
    previous = keys[i];
    inverse[i] = firsts.length - 1;
    counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1;
  }
  return {
    values: leaf(taken(data, x.dtype, firsts), [firsts.length], x.dtype),
    inverse: int64(inverse, x.shape),
    counts: int64(counts, [counts.length]),
  };
}

function ascending(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

function taken(data: TypedArray, dtype: DType, at: readonly number[]): TypedArray {
  const values = allocate(dtype, at.length);
  at.forEach((from, to) => (values[to] = data[from] as never));
  return values;
}

/**
 * Where values would go in an ascending sequence [..., n] so that it stays in order: int64, of the
 * values' shape. A vector serves all values; otherwise the leading dimensions must be equal.
 */
export function searchsorted(
  sequence: Tensor,
  values: Tensor,
  {
    right = false,
  }: { /** Go after equal elements. @default false */ readonly right?: boolean } = {},
): Tensor {
  if (sequence.shape.length === 0) fail("searchsorted", "the sequence must have a dimension");
  const lead = sequence.shape.slice(0, -1);
  const shared = sequence.shape.length === 1;
  if (!shared && show(lead) !== show(values.shape.slice(0, -1))) {
    fail(
      "searchsorted",
      `sequence ${show(sequence.shape)} and values ${show(values.shape)} must agree before the last dimension`,
    );
  }
  const row = shared ? sequence : unsqueeze(sequence, -2);
  const wanted = unsqueeze(values, -1);
  const less = right ? row.le(wanted) : row.lt(wanted);
  // NaN comes after everything.
  const before = isFloat(values.dtype) ? less.logicalOr(wanted.isnan()) : less;
  return reshape(sum(cast(before, "int64"), { dim: -1 }), values.shape);
}
