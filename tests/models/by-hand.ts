import { join } from "node:path";
import {
  type Linear,
  loadSafetensors,
  type PreTrainedModel,
  type ProblemType,
  type Tensor,
  tensor,
} from "tsvene";
import { expect } from "vitest";
import { temporaryDirectory } from "./checkpoints.ts";

// Heads of which nothing is recorded are computed once more with these, number by number, as
// transformers 5 writes them. What is below them is recorded.

export type Vector = readonly number[];

export const int64 = (values: number[] | number[][]): Tensor => tensor(values, { dtype: "int64" });

export async function rowsOf(t: Tensor): Promise<number[][]> {
  return t.toArray(2);
}

export async function statesOf(t: Tensor): Promise<number[][][]> {
  return t.toArray(3);
}

export const dot = (a: Vector, b: Vector): number =>
  a.reduce((sum, v, i) => sum + v * (b[i] ?? NaN), 0);

export const mean = (rows: readonly Vector[]): number[] =>
  (rows[0] ?? []).map((_, i) => rows.reduce((sum, row) => sum + (row[i] ?? NaN), 0) / rows.length);

/** `weight` [out, in] times x, and the bias where there is one. */
export async function linear({ weight, bias }: Linear): Promise<(x: Vector) => number[]> {
  const rows = await rowsOf(weight.value);
  const shift = bias === undefined ? [] : await bias.value.toArray(1);
  return (x) => rows.map((row, i) => dot(row, x) + (shift[i] ?? 0));
}

export async function expectClose(actual: Tensor, wanted: readonly Vector[]): Promise<void> {
  const rows = await rowsOf(actual);
  expect(rows.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
  const gaps = rows.flatMap((row, i) => row.map((v, j) => Math.abs(v - (wanted[i]?.[j] ?? NaN))));
  expect(Math.max(...gaps)).toBeLessThan(2e-5);
  // Small numbers would be close to whatever there is.
  expect(Math.max(...wanted.flat().map(Math.abs))).toBeGreaterThan(0.05);
}

/** The loss of logits as transformers computes it for each of the three meanings of labels. */
export function lossOf(
  logits: readonly Vector[],
  labels: readonly number[][],
  type: ProblemType,
): number {
  const losses = logits.flatMap((row, i) => {
    const own = labels[i] ?? [];
    if (type === "single_label_classification") {
      const total = Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0));
      return [total - (row[own[0] ?? NaN] ?? NaN)];
    }
    return row.map((v, j) => {
      const y = own[j] ?? NaN;
      if (type === "regression") return (v - y) ** 2;
      const p = 1 / (1 + Math.exp(-v));
      return -(y * Math.log(p) + (1 - y) * Math.log(1 - p));
    });
  });
  return losses.reduce((sum, v) => sum + v, 0) / losses.length;
}

/** Names of a model's tensors in the file that it is written to. */
export async function namesIn(directory: string): Promise<string[]> {
  return [...(await loadSafetensors(join(directory, "model.safetensors"))).keys()];
}

export async function saved(model: PreTrainedModel): Promise<string> {
  const directory = await temporaryDirectory();
  await model.savePretrained(directory);
  return directory;
}
