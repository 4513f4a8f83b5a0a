import { requireTensors } from "../require-tensors.ts";
import { describeValue } from "../../base/describe-value.ts";
import { apply } from "../ops/apply.ts";
import { cast } from "./arithmetic.ts";
import { resultType } from "../dtype.ts";
import { fail } from "../errors.ts";
import { NONE } from "../ops/ops.ts";
import type { More, OfRank, Rank, RankedTensor } from "../ranked.ts";
import {
  broadcastShapes,
  checkShape,
  normalizeDim,
  normalizeDims,
  numel,
  requireList,
  sameShape,
  type Shape,
  show,
} from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** The size at `dim`, which must be normalised. */
export function sizeAt(x: Tensor, dim: number): number {
  return x.shape[dim] ?? 1;
}

/** The same elements in another shape; one size may be -1. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const target = inferSize(x, shape);
  return sameShape(target, x.shape) ? x : apply("reshape", [x], NONE, [target]);
}

function inferSize(x: Tensor, shape: Shape): Shape {
  requireList("reshape", "sizes", shape);
  const at = shape.indexOf(-1);
  if (at < 0) {
    checkShape("reshape", shape);
    return shape;
  }
  const known = shape.filter((_, i) => i !== at);
  if (known.includes(-1)) fail("reshape", `only one size can be -1, got ${show(shape)}`);
  checkShape("reshape", known);
  const rest = numel(known);
  const missing = numel(x.shape) / rest;
  if (rest === 0 || !Number.isInteger(missing)) {
    fail("reshape", `cannot view ${show(x.shape)} as ${show(shape)}: the -1 has no whole size`);
  }
  return shape.map((n, i) => (i === at ? missing : n));
}

export function permute(x: Tensor, dims: readonly number[]): Tensor {
  requireList("permute", "dims", dims);
  const order = dims.map((d) => normalizeDim("permute", d, x.shape.length));
  if (order.length !== x.shape.length || new Set(order).size !== order.length) {
    fail("permute", `dims ${show(dims)} must name each of the ${x.shape.length} dimensions once`);
  }
  return order.every((d, i) => d === i) ? x : apply("permute", [x], { dims: order });
}

export function transpose(x: Tensor, a: number, b: number): Tensor {
  const rank = x.shape.length;
  const [i, j] = [normalizeDim("transpose", a, rank), normalizeDim("transpose", b, rank)];
  if (rank === 0) return x;
  const dims = x.shape.map((_, d) => {
    if (d === i) return j;
    return d === j ? i : d;
  });
  return permute(x, dims);
}

/** Moves dimensions to other places; the rest keep their order. */
export function movedim(
  x: Tensor,
  from: number | readonly number[],
  to: number | readonly number[],
): Tensor {
  const rank = x.shape.length;
  const normal = (dims: number | readonly number[]): number[] =>
    [dims].flat().map((d) => normalizeDim("movedim", d, rank));
  const [sources, targets] = [normal(from), normal(to)];
  if (sources.length !== targets.length || new Set(targets).size !== targets.length) {
    fail("movedim", `dims ${show(sources)} cannot move to ${show(targets)}`);
  }
  const rest = x.shape.map((_, d) => d).filter((d) => !sources.includes(d));
  return permute(
    x,
    x.shape.map((_, d) => sources[targets.indexOf(d)] ?? (rest.shift() as number)),
  );
}

/** One dimension as several; one size may be -1. */
export function unflatten(x: Tensor, dim: number, sizes: Shape): Tensor {
  const d = normalizeDim("unflatten", dim, x.shape.length);
  const known = numel(sizes.filter((n) => n !== -1));
  const whole = sizes.map((n) => (n === -1 ? sizeAt(x, d) / known : n));
  if (numel(whole) !== sizeAt(x, d) || !whole.every(Number.isInteger)) {
    fail(
      "unflatten",
      `sizes ${show(sizes)} do not make ${sizeAt(x, d)}, dimension ${dim} of ${show(x.shape)}`,
    );
  }
  return reshape(x, [...x.shape.slice(0, d), ...whole, ...x.shape.slice(d + 1)]);
}

export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  const dims = normalizeDims("squeeze", dim, x.shape.length);
  return reshape(
    x,
    x.shape.filter((n, i) => n !== 1 || !dims.includes(i)),
  );
}

/** Where a new dimension goes: before one of `rank`, or after all. */
function placeOfNew(op: string, dim: number, rank: number): number {
  if (!Number.isInteger(dim) || dim < -rank - 1 || dim > rank) {
    fail(
      op,
      `a new dimension of a ${rank}-d tensor can be put at ${-rank - 1} to ${rank}, not ${dim}`,
    );
  }
  return dim < 0 ? dim + rank + 1 : dim;
}

export function unsqueeze(x: Tensor, dim: number): Tensor {
  const at = placeOfNew("unsqueeze", dim, x.shape.length);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

export function flatten(x: Tensor, startDim = 0, endDim = -1): Tensor {
  if (x.shape.length === 0) return reshape(x, [1]);
  const start = normalizeDim("flatten", startDim, x.shape.length);
  const end = normalizeDim("flatten", endDim, x.shape.length);
  if (start > end) fail("flatten", `startDim ${startDim} comes after endDim ${endDim}`);
  const middle = numel(x.shape.slice(start, end + 1));
  return reshape(x, [...x.shape.slice(0, start), middle, ...x.shape.slice(end + 1)]);
}

/** Grows sizes of 1; -1 keeps a size. */
export function expand(x: Tensor, shape: Shape): Tensor {
  requireList("expand", "sizes", shape);
  const offset = shape.length - x.shape.length;
  const target = shape.map((n, i) => (n === -1 ? (x.shape[i - offset] ?? -1) : n));
  checkShape("expand", target);
  return sameShape(target, x.shape) ? x : apply("expand", [x], NONE, [target]);
}

/** The tensors expanded to the one shape that they broadcast to. */
export function broadcastTensors(...tensors: Tensor[]): Tensor[] {
  const shape = tensors
    .map((t) => t.shape)
    .reduce((a, b) => broadcastShapes("broadcastTensors", a, b), []);
  return tensors.map((t) => expand(t, shape));
}

/** Copies of the whole tensor along each dimension, leading dimensions added as needed. */
export function repeat(x: Tensor, times: readonly number[]): Tensor {
  checkShape("repeat", times);
  if (times.length < x.shape.length) {
    fail("repeat", `times ${show(times)} needs at least ${x.shape.length} entries`);
  }
  const shape = [...times.slice(x.shape.length).map(() => 1), ...x.shape];
  const spread = shape.flatMap((n) => [1, n]);
  const target = shape.flatMap((n, i) => [times[i] ?? 1, n]);
  return reshape(
    expand(reshape(x, spread), target),
    shape.map((n, i) => n * (times[i] ?? 1)),
  );
}

/** As `repeat`, but a shorter `times` counts from the last dimension. */
export function tile(x: Tensor, times: readonly number[]): Tensor {
  const missing = Math.max(0, x.shape.length - times.length);
  return repeat(x, [...Array.from<number>({ length: missing }).fill(1), ...times]);
}

/** Each element `times` times in a row along `dim`, or in the flattened tensor. */
export function repeatInterleave(x: Tensor, times: number, dim?: number): Tensor {
  if (dim === undefined) return repeatInterleave(reshape(x, [numel(x.shape)]), times, 0);
  const d = normalizeDim("repeatInterleave", dim, x.shape.length);
  checkShape("repeatInterleave", [times]);
  const wide = unsqueeze(x, d + 1);
  const target = wide.shape.map((n, i) => (i === d + 1 ? times : n));
  return reshape(
    expand(wide, target),
    x.shape.map((n, i) => (i === d ? n * times : n)),
  );
}

/** Elements from `start` to before `end` in steps, negative bounds counting from the end. */
export function slice(x: Tensor, dim: number, start = 0, end: number = Infinity, step = 1): Tensor {
  const d = normalizeDim("slice", dim, x.shape.length);
  if (!Number.isInteger(step) || step < 1) {
    fail("slice", `step must be a positive integer, got ${step}; use flip() to reverse`);
  }
  const n = sizeAt(x, d);
  const clip = (bound: number): number => Math.min(n, Math.max(0, bound < 0 ? bound + n : bound));
  const [from, to] = [clip(start), clip(end)];
  if (!Number.isInteger(from) || !Number.isInteger(to)) {
    fail("slice", `bounds must be integers, got ${start} and ${end}`);
  }
  if (from === 0 && to === n && step === 1) return x;
  return apply("slice", [x], { dims: [d], steps: [step] }, [[from], [Math.max(from, to)]]);
}

/** `length` elements from `start`, which must all exist. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  const d = normalizeDim("narrow", dim, x.shape.length);
  const from = start < 0 ? start + sizeAt(x, d) : start;
  if (from < 0 || length < 0 || from + length > sizeAt(x, d)) {
    fail(
      "narrow",
      `${length} elements from ${start} do not lie in dimension ${dim} of ${show(x.shape)}`,
    );
  }
  return slice(x, d, from, from + length);
}

/** The slice at one index, without that dimension. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const d = normalizeDim("select", dim, x.shape.length);
  const n = sizeAt(x, d);
  if (typeof index !== "number") {
    fail(
      "select",
      `the index must be a number, as in select(${d}, 0); got ${describeValue(index)}`,
    );
  }
  if (!Number.isInteger(index) || index < -n || index >= n) {
    fail("select", `index ${index} is out of range for dimension ${dim} of ${show(x.shape)}`);
  }
  return squeeze(narrow(x, d, index, 1), d);
}

/** Reverses the order along the given dimensions. */
export function flip(x: Tensor, dims: number | readonly number[]): Tensor {
  const along = normalizeDims("flip", dims, x.shape.length).filter((d) => sizeAt(x, d) > 1);
  if (along.length === 0) return x;
  const starts = along.map((d) => sizeAt(x, d) - 1);
  const ends = along.map((d) => -1 - sizeAt(x, d));
  return apply("slice", [x], { dims: along, steps: along.map(() => -1) }, [starts, ends]);
}

/** Shifts along dimensions; what falls off one end comes in at the other. */
export function roll(
  x: Tensor,
  shifts: number | readonly number[],
  dims?: number | readonly number[],
): Tensor {
  if (dims === undefined) {
    return reshape(roll(reshape(x, [numel(x.shape)]), shifts, 0), x.shape);
  }
  const [by, along] = [[shifts].flat(), [dims].flat()];
  if (by.length !== along.length) fail("roll", `${by.length} shifts for ${along.length} dims`);
  return along.reduce((y, dim, i) => {
    const d = normalizeDim("roll", dim, y.shape.length);
    const n = sizeAt(y, d);
    const cut = n === 0 ? 0 : ((-(by[i] ?? 0) % n) + n) % n;
    return cut === 0 ? y : cat([slice(y, d, cut), slice(y, d, 0, cut)], d);
  }, x);
}

/**
 * The tensors one after another along an existing dimension; all other sizes must be equal.
 * Element types are promoted to a common one.
 * @throws TensorError for an empty list, for 0-d tensors and for sizes that differ.
 */
export function cat<R extends Rank>(
  tensors: readonly RankedTensor<R>[],
  dim?: number,
): RankedTensor<R>;
export function cat(tensors: readonly Tensor[], dim?: number): Tensor;
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = requireListOf("cat", tensors);
  if (tensors.length === 1) return first;
  const d = normalizeDim("cat", dim, first.shape.length);
  if (first.shape.length === 0) fail("cat", "0-d tensors cannot be concatenated; use stack()");
  const dtype = resultType(tensors);
  return apply(
    "concat",
    tensors.map((t) => cast(t, dtype)),
    { dim: d },
  );
}

/**
 * Tensors of one shape side by side along a new dimension.
 * @throws TensorError for an empty list and for shapes that differ.
 */
export function stack<R extends Rank>(
  tensors: readonly RankedTensor<R>[],
  dim?: number,
): OfRank<More<R>>;
export function stack(tensors: readonly Tensor[], dim?: number): Tensor;
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = requireListOf("stack", tensors);
  for (const t of tensors) {
    if (!sameShape(t.shape, first.shape)) {
      fail("stack", `shapes ${tensors.map((u) => show(u.shape)).join(", ")} must be equal`);
    }
  }
  const d = placeOfNew("stack", dim, first.shape.length);
  return cat(
    tensors.map((t) => unsqueeze(t, d)),
    d,
  );
}

/** The first of the tensors that are joined, which stand in one list. */
function requireListOf(op: string, tensors: readonly Tensor[]): Tensor {
  if (!Array.isArray(tensors)) {
    fail(op, `expected a list, as ${op}([a, b]), got ${describeValue(tensors)}`);
  }
  requireTensors(op, ...(tensors as readonly Tensor[]));
  return (tensors as readonly Tensor[])[0] ?? fail(op, "expected at least one tensor");
}

/** Pieces of the given sizes, or of one size with a smaller last piece. */
export function split(x: Tensor, sizes: number | readonly number[], dim = 0): Tensor[] {
  const d = normalizeDim("split", dim, x.shape.length);
  const n = sizeAt(x, d);
  const list = typeof sizes === "number" ? evenSizes(n, sizes) : sizes;
  checkShape("split", list);
  if (list.reduce((a, b) => a + b, 0) !== n) {
    fail("split", `sizes ${show(list)} must add up to ${n}, the size of dimension ${dim}`);
  }
  let start = 0;
  return list.map((length) => slice(x, d, start, (start += length)));
}

function evenSizes(n: number, size: number): number[] {
  if (!Number.isInteger(size) || size < 1) fail("split", `size must be at least 1, got ${size}`);
  return Array.from({ length: Math.max(1, Math.ceil(n / size)) }, (_, i) =>
    Math.min(size, n - i * size),
  );
}

/** At most `chunks` pieces of equal size, the last one smaller. */
export function chunk(x: Tensor, chunks: number, dim = 0): Tensor[] {
  const d = normalizeDim("chunk", dim, x.shape.length);
  if (!Number.isInteger(chunks) || chunks < 1) {
    fail("chunk", `expected 1 chunk or more, got ${chunks}`);
  }
  return split(x, Math.max(1, Math.ceil(sizeAt(x, d) / chunks)), d);
}

/** The slices along a dimension, each without it. */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  const d = normalizeDim("unbind", dim, x.shape.length);
  if (x.shape.length === 0) fail("unbind", "a 0-d tensor has no dimension to take apart");
  return Array.from({ length: sizeAt(x, d) }, (_, i) => select(x, d, i));
}

/** The lower (or upper) triangle of matrices, zero elsewhere. */
export function triangle(x: Tensor, upper: boolean, diagonal = 0): Tensor {
  return apply("trilu", [x], { upper }, [[diagonal]]);
}
