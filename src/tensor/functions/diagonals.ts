import { index, permuteTo } from "./advanced-indexing.ts";
import { apply } from "../ops/apply.ts";
import { constantLike, where } from "./arithmetic.ts";
import { fail } from "../errors.ts";
import { NONE } from "../ops/ops.ts";
import { normalizeDim, show } from "../shape.ts";
import { movedim, sizeAt, unsqueeze } from "./shaping.ts";
import type { Tensor } from "../tensor.ts";

/** The elements whose two indices differ by `offset`, as a last dimension. */
export function diagonal(x: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  const rank = x.shape.length;
  const [i, j] = [normalizeDim("diagonal", dim1, rank), normalizeDim("diagonal", dim2, rank)];
  if (i === j) fail("diagonal", `dim1 and dim2 are both ${i}`);
  const length = Math.max(
    0,
    Math.min(sizeAt(x, i) + Math.min(0, offset), sizeAt(x, j) - Math.max(0, offset)),
  );
  const along = (start: number): number[] => Array.from({ length }, (_, k) => start + k);
  const rest = x.shape.map((_, d) => d).filter((d) => d !== i && d !== j);
  const front = permuteTo(x, [i, j, ...rest]);
  const picked = index(front, [along(Math.max(0, -offset)), along(Math.max(0, offset))]);
  return movedim(picked, 0, -1);
}

/** The diagonal of a matrix, or a matrix with the vector as its diagonal. */
export function diag(x: Tensor, offset = 0): Tensor {
  if (x.shape.length === 1) return diagEmbed(x, offset);
  if (x.shape.length === 2) return diagonal(x, offset);
  return fail("diag", `expected a vector or a matrix, got ${show(x.shape)}; use diagonal()`);
}

/** Matrices with the last dimension as their diagonals, in two new last dimensions. */
export function diagEmbed(x: Tensor, offset = 0): Tensor {
  const n = sizeAt(x, normalizeDim("diagEmbed", -1, x.shape.length));
  const size = n + Math.abs(offset);
  const range = (start: number, end: number): Tensor =>
    apply("range", [], NONE, [[start], [end], [1]]);
  const columns = unsqueeze(range(0, size), 0);
  const rows = unsqueeze(range(offset, offset + size), 1);
  const on = apply("eq", [columns, rows], NONE);
  const filler = constantLike(0, x);
  // Row i holds element i - max(0, -offset), whichever side the diagonal is on.
  const lead = x.shape.slice(0, -1).flatMap(() => [0, 0]).length / 2;
  const pads = x.shape.map((_, d) => (d === lead ? Math.max(0, -offset) : 0));
  const after = x.shape.map((_, d) => (d === lead ? Math.max(0, offset) : 0));
  const padded =
    offset === 0 ? x : apply("pad", [x], { mode: "constant", value: 0 }, [[...pads, ...after]]);
  return where(on, unsqueeze(padded, -1), filler);
}
