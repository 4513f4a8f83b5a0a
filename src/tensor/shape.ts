import { describeValue } from "../base/describe-value.ts";
import { fail } from "./errors.ts";

/** Sizes of the dimensions, the first varying slowest; `[]` for a single number. */
export type Shape = readonly number[];

/** Number of elements. */
export function numel(shape: Shape): number {
  let n = 1;
  for (const size of shape) n *= size;
  return n;
}

/** A shape as it appears in messages: `[2, 3]`. */
export function show(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Turns a dimension that may be negative into one in `[0, rank)`. */
export function normalizeDim(op: string, dim: number, rank: number): number {
  const limit = Math.max(rank, 1);
  if (typeof dim !== "number") {
    fail(op, `dim must be a whole number, as in ${op}(${rank - 1}); got ${describeValue(dim)}`);
  }
  if (!Number.isInteger(dim) || dim < -limit || dim >= limit) {
    fail(
      op,
      `dim ${dim} is out of range for a tensor of ${rank} dimensions; expected ${-limit} to ${limit - 1}`,
    );
  }
  return dim < 0 ? dim + limit : dim;
}

/** Normalises a list of distinct dimensions, ascending; `undefined` means all of them. */
export function normalizeDims(
  op: string,
  dims: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (dims === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof dims === "number" ? [dims] : dims).map((d) => normalizeDim(op, d, rank));
  if (new Set(list).size !== list.length) {
    fail(op, `dims ${show(typeof dims === "number" ? [dims] : dims)} name a dimension twice`);
  }
  return rank === 0 ? [] : list.sort((a, b) => a - b);
}

/** The shape that two shapes broadcast to, by NumPy's rules. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      fail(
        op,
        `shapes ${show(a)} and ${show(b)} do not broadcast: sizes ${x} and ${y} at dimension ${i - rank} ` +
          `must be equal, or one of them 1`,
      );
    }
    out.push(x === 1 ? y : x);
  }
  return out;
}

/** Throws for numbers given one by one, as torch allows, instead of in a list. */
export function requireList(op: string, name: string, list: readonly number[]): void {
  if (Array.isArray(list)) return;
  fail(op, `${name} must be a list, such as [1, 2]; got ${describeValue(list)}`);
}

/** Checks that every size is a non-negative integer. */
export function checkShape(op: string, shape: Shape): void {
  requireList(op, "sizes", shape);
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      fail(op, `shape ${show(shape)} has size ${size}; sizes are integers of 0 or more`);
    }
  }
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] ?? 1;
  }
  return strides;
}
