import { requireTensors } from "../require-tensors.ts";
import { apply, encodeNumbers, leaf } from "../ops/apply.ts";
import { cast, type Operand } from "./arithmetic.ts";
import { fail } from "../errors.ts";
import { NONE, type ScatterReduction } from "../ops/ops.ts";
import { broadcastShapes, normalizeDim } from "../shape.ts";
import { expand, movedim, sizeAt, slice, unsqueeze } from "./shaping.ts";
import type { Tensor } from "../tensor.ts";

/** Positions, as a tensor of int64 (or int32) or as plain numbers. */
export type Index = Tensor | readonly number[];

/** Positions as an int64 tensor; values that are known here are checked against `size`. */
export function toIndex(op: string, index: Index, size: number): Tensor {
  const isList = Array.isArray(index);
  const t = isList
    ? leaf(encodeNumbers(index as number[], "int64"), [index.length], "int64")
    : (index as Tensor);
  requireTensors(op, t);
  if (t.dtype === "bool") {
    fail(op, "index must hold positions, got bool; use await maskedSelect(), or await nonzero()");
  }
  if (t.dtype !== "int64" && t.dtype !== "int32") {
    fail(op, `index must be int64 or int32, got ${t.dtype}`);
  }
  for (const value of knownPositions(t) ?? []) {
    if (value < -size || value >= size) {
      fail(
        op,
        `index ${value} is out of range for ${size} elements; expected ${-size} to ${size - 1}`,
      );
    }
  }
  return t;
}

/** The values of an index where they are known before anything runs; of a range, its ends. */
export function knownPositions(index: Tensor): Iterable<number | bigint> | undefined {
  if (index.values !== undefined) return index.values;
  if (index.numel === 0) return [];
  if (index.origin?.op !== "range") return undefined;
  const [start = 0, , step = 1] = index.origin.sizes.map((size) => size[0] ?? 0);
  return [start, start + (index.numel - 1) * step];
}

/** Rows of `x` along a dimension; the index may have any rank, whose dimensions take its place. */
export function indexSelect(x: Tensor, dim: number, index: Index): Tensor {
  const d = normalizeDim("indexSelect", dim, x.shape.length);
  return apply("indexSelect", [x, toIndex("indexSelect", index, sizeAt(x, d))], { dim: d });
}

/** torch.gather: out[i][j] = x[i][index[i][j]] for dim 1. */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  const d = normalizeDim("gather", dim, x.shape.length);
  return apply("gather", [x, toIndex("gather", index, sizeAt(x, d))], { dim: d });
}

/** As gather, with `x` and `index` broadcast outside `dim`. */
export function takeAlongDim(x: Tensor, index: Tensor, dim: number): Tensor {
  const d = normalizeDim("takeAlongDim", dim, x.shape.length);
  const outside = (shape: readonly number[]): number[] => shape.map((n, i) => (i === d ? 1 : n));
  const common = broadcastShapes("takeAlongDim", outside(x.shape), outside(index.shape));
  const fit = (t: Tensor): Tensor =>
    expand(
      t,
      common.map((n, i) => (i === d ? sizeAt(t, d) : n)),
    );
  return gather(fit(x), d, fit(index));
}

/** torch.scatter: x with source (a tensor of the index's shape, or one number) written at index. */
export function scatter(
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Operand,
  reduce: ScatterReduction = "none",
): Tensor {
  const d = normalizeDim("scatter", dim, x.shape.length);
  const at = toIndex("scatter", index, sizeAt(x, d));
  return apply("scatter", [x, at, sourceLike(x, source, index.shape)], { dim: d, reduce });
}

/** Ways in which {@link scatterReduce} combines elements. */
export type ScatterReduce = "sum" | "prod" | "amax" | "amin";

const SCATTER_REDUCTIONS = { sum: "add", prod: "mul", amax: "amax", amin: "amin" } as const;

/** x with `source` combined with the elements at `index`, as torch.scatter_reduce does. */
export function scatterReduce(
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
  reduce: ScatterReduce,
): Tensor {
  const reduction = SCATTER_REDUCTIONS[reduce];
  if (reduction === undefined) {
    fail(
      "scatterReduce",
      `reduce must be "sum", "prod", "amax" or "amin", got "${reduce as string}"`,
    );
  }
  return scatter(x, dim, index, source, reduction);
}

/** What is written: a number, or the leading part of a tensor of another shape, in the type of x. */
export function sourceLike(x: Tensor, source: Operand, shape: readonly number[]): Tensor {
  if (typeof source === "number") {
    return expand(leaf(encodeNumbers([source], x.dtype), [], x.dtype), shape);
  }
  const cut = source.shape.reduce((t, _, i) => slice(t, i, 0, shape[i] ?? 0), source);
  return cast(cut, x.dtype);
}

/** x with whole rows along `dim` replaced, or added to. */
export function indexPutRows(
  op: "indexCopy" | "indexAdd" | "indexFill",
  x: Tensor,
  dim: number,
  index: Index,
  source: Operand,
): Tensor {
  const d = normalizeDim(op, dim, x.shape.length);
  const at = toIndex(op, index, sizeAt(x, d));
  const front = movedim(x, d, 0);
  const rows = [...at.shape, ...front.shape.slice(1)];
  const value = typeof source === "number" ? source : movedim(source, d, 0);
  const written = apply(
    "scatterNd",
    [
      front,
      unsqueeze(at, -1),
      typeof value === "number" ? sourceLike(x, value, rows) : expand(cast(value, x.dtype), rows),
    ],
    { reduce: op === "indexAdd" ? "add" : "none" },
  );
  return movedim(written, 0, d);
}

/** x with the elements from `start` to before `end` along `dim` replaced by `value` (broadcast). */
export function sliceAssign(
  x: Tensor,
  dim: number,
  start: number,
  end: number,
  value: Operand,
): Tensor {
  const d = normalizeDim("sliceAssign", dim, x.shape.length);
  const current = slice(x, d, start, end);
  const source = sourceLike(
    x,
    typeof value === "number" ? value : expand(value, current.shape),
    current.shape,
  );
  const n = sizeAt(x, d);
  if (sizeAt(current, d) === n) return source;
  const from = Math.min(n, start < 0 ? Math.max(0, start + n) : start);
  const to = from + sizeAt(current, d);
  const parts = [slice(x, d, 0, from), source, slice(x, d, to)].filter((t) => sizeAt(t, d) > 0);
  return parts.length === 1 ? (parts[0] as Tensor) : apply("concat", parts, { dim: d });
}

/** int64 one-hot vectors of length `classes` along a new last dimension. */
export function oneHot(x: Tensor, classes: number): Tensor {
  const at = toIndex("oneHot", x, classes);
  const range = apply("range", [], NONE, [[0], [classes], [1]]);
  return cast(apply("eq", [unsqueeze(cast(at, "int64"), -1), range], NONE), "int64");
}

/** x where the mask is false, `value` where it is true. */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  if (mask.dtype !== "bool") fail("maskedFill", `the mask must be bool, got ${mask.dtype}`);
  broadcastShapes("maskedFill", x.shape, mask.shape);
  const filler =
    typeof value === "number"
      ? leaf(encodeNumbers([value], x.dtype), [], x.dtype)
      : cast(value, x.dtype);
  return apply("where", [mask, filler, x], NONE);
}

/** Windows of `size` elements every `step` along a dimension, as a new last dimension. */
export function unfold(x: Tensor, dim: number, size: number, step: number): Tensor {
  const d = normalizeDim("unfold", dim, x.shape.length);
  const n = sizeAt(x, d);
  if (size < 1 || size > n || step < 1) {
    fail("unfold", `windows of ${size} every ${step} do not fit ${n} elements`);
  }
  const count = Math.floor((n - size) / step) + 1;
  const at = Array.from(
    { length: count * size },
    (_, k) => Math.floor(k / size) * step + (k % size),
  );
  const rows = leaf(encodeNumbers(at, "int64"), [count, size], "int64");
  return movedim(indexSelect(x, d, rows), d + 1, -1);
}
