import type { DType } from "tsvene";
import { type Call, operand, type Rows } from "./call.ts";
import {
  broadcast,
  build,
  entry,
  flat,
  get,
  type HostArray,
  indices,
  make,
  type Num,
  plus,
  type Sizes,
  times,
  total,
} from "./host-array.ts";
import { neverRun } from "./elementwise.ts";

type OfMatrices =
  | "matmul" | "linear" | "rotate" | "inverse" | "det" | "squarings" | "squaringsGrad"
  | "factor"; // prettier-ignore

/** The elements along the last dimension, for each index of those before it. */
function rowsOf(x: HostArray): (readonly Num[])[] {
  const n = x.shape.at(-1) ?? 0;
  return indices(x.shape.slice(0, -1)).map((_, i) => x.values.slice(i * n, (i + 1) * n));
}

function dot(a: readonly Num[], b: readonly Num[], dtype: DType): Num {
  return total(
    a.map((v, i) => times(v, entry(b, i))),
    dtype,
  );
}

function product(a: HostArray, b: HostArray): HostArray {
  const shape = [...a.shape.slice(0, -1), b.shape.at(-1) ?? 0];
  const batch = broadcast(shape.slice(0, -2), b.shape.slice(0, -2));
  const [rows, columns] = [rowsOf(a), rowsOf(transposed(b))];
  return build([...batch, ...shape.slice(-2)], a.dtype, (index) => {
    const [lead, row, column] = [index.slice(0, -2), index.at(-2) ?? 0, index.at(-1) ?? 0];
    const [left, right] = [matrixAt(a, lead), matrixAt(b, lead)];
    const [m, n] = shape.slice(-2) as [number, number];
    return dot(entry(rows, left * m + row), entry(columns, right * n + column), a.dtype);
  });
}

/** Which of a batch of matrices stands at an index; it may be one for all. */
function matrixAt({ shape }: HostArray, lead: Sizes): number {
  const batch = shape.slice(0, -2);
  const own = lead.slice(lead.length - batch.length);
  return flat(
    own.map((i, d) => (batch[d] === 1 ? 0 : i)),
    batch,
  );
}

function linear(call: Call<unknown>): HostArray {
  const [x, w, bias] = [operand(call, 0), operand(call, 1), call.inputs[2]];
  const weights = rowsOf(w);
  const values = rowsOf(x).flatMap((row) =>
    weights.map((column, o) => {
      const sum = dot(row, column, call.dtype);
      return bias === undefined ? sum : plus(sum, get(bias, [o]));
    }),
  );
  return make([...x.shape.slice(0, -1), weights.length], call.dtype, values);
}

const rotate: Rows<"rotate">["rotate"] = (call) => {
  const [x, cos, sin] = [operand(call, 0), operand(call, 1), operand(call, 2)];
  const { pairs } = call.attributes;
  return build(x.shape, call.dtype, ([batch = 0, head = 0, step = 0, feature = 0]) => {
    const own = Number(get(x, [batch, head, step, feature]));
    if (feature >= 2 * pairs) return own;
    const first = feature < pairs;
    const pair = first ? feature : feature - pairs;
    const other = Number(get(x, [batch, head, step, first ? feature + pairs : pair]));
    const [c, s] = [cos, sin].map((t) => Number(get(t, [batch, step, pair])));
    return own * (c ?? 0) + (first ? -other : other) * (s ?? 0);
  });
};

/** The rows of each matrix of a batch. */
function matrices(x: HostArray): number[][][] {
  const n = x.shape.at(-1) ?? 0;
  const row = (lead: Sizes, i: number): number[] =>
    Array.from({ length: n }, (_, j) => Number(get(x, [...lead, i, j])));
  return indices(x.shape.slice(0, -2)).map((lead) =>
    Array.from({ length: n }, (_, i) => row(lead, i)),
  );
}

/**
 * Gauss and Jordan's elimination, on the largest of each column: the determinant, and the rows as
 * they are when the matrix has become the identity.
 */
function eliminate(
  matrix: readonly (readonly number[])[],
  right: readonly (readonly number[])[],
): { readonly det: number; readonly rows: readonly (readonly number[])[] } {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...entry(right, i)]);
  let det = 1;
  for (let k = 0; k < n; k++) {
    const size = (i: number): number => Math.abs(rows[i]?.[k] ?? 0);
    let best = k;
    for (let i = k; i < n; i++) if (size(i) > size(best)) best = i;
    const [pivotRow, other] = [entry(rows, best), entry(rows, k)];
    const pivot = entry(pivotRow, k);
    det *= best === k ? pivot : -pivot;
    rows[best] = other;
    const scaled = pivotRow.map((v) => v / pivot);
    rows.forEach((row, i) => {
      if (i !== k) rows[i] = row.map((v, j) => v - entry(row, k) * entry(scaled, j));
    });
    rows[k] = scaled;
  }
  return { det, rows: rows.map((row) => row.slice(n)) };
}

function inverse(call: Call<unknown>): HostArray {
  const x = operand(call, 0);
  const solved = matrices(x).flatMap((matrix) => {
    const identity = matrix.map((_, i) => matrix.map((__, j) => Number(i === j)));
    return eliminate(matrix, identity).rows.flat();
  });
  return make(x.shape, call.dtype, solved);
}

/** A singular matrix divides by zero on the way. */
function det(call: Call<unknown>): HostArray {
  const x = operand(call, 0);
  const found = matrices(x).map((matrix) => eliminate(matrix, matrix.map(() => [])).det); // prettier-ignore
  return make(x.shape.slice(0, -2), call.dtype, found.map((d) => (Number.isNaN(d) ? 0 : d))); // prettier-ignore
}

function transposed(x: HostArray): HostArray {
  const [m = 0, n = 0] = x.shape.slice(-2);
  return build([...x.shape.slice(0, -2), n, m], x.dtype, (index) =>
    get(x, [...index.slice(0, -2), index.at(-1) ?? 0, index.at(-2) ?? 0]),
  );
}

function squarings(call: Call<unknown>): HostArray {
  let x = operand(call, 0);
  for (let i = 0; i < Number(get(operand(call, 1), [])); i++) x = product(x, x);
  return x;
}

/** A gradient g of x x is one xᵀ g + g xᵀ of x. */
function squaringsGrad(call: Call<unknown>): HostArray {
  let [x, g] = [transposed(operand(call, 0)), operand(call, 1)];
  for (let i = 0; i < Number(get(operand(call, 2), [])); i++) {
    const [left, right] = [product(x, g), product(g, x)];
    g = build(g.shape, g.dtype, (index) => plus(get(left, index), get(right, index)));
    x = product(x, x);
  }
  return g;
}

export const ofMatrices: Rows<OfMatrices> = {
  matmul: (call) => product(operand(call, 0), operand(call, 1)),
  linear,
  rotate,
  inverse,
  det,
  squarings,
  squaringsGrad,
  factor: neverRun("factor"),
};
