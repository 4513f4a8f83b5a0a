import { internal } from "../base/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { runtimeFor } from "./default-runtime.ts";
import { rowsOf } from "./program/row-values.ts";
import { type SharedRows, shareRows } from "./program/share-rows.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Computes tensors as `evaluate` does, but what is surely the same in several rows of a batch once: a
 * batch of one text with another edit in each row costs what comes after the edits, and not the layers
 * before them as often as there are rows. The values are those of `evaluate`, but for the last bits of
 * sums.
 *
 * @param tensors - Lazy tensors with the rows in their first dimension, or without rows.
 * @param rows - How many rows the batch has.
 *
 * For the logits of `forward(repeated, { sources, rows, unitLocations })`, `rows` is the size of the batch.
 */
export async function evaluateSharingRows(
  tensors: readonly Tensor[],
  rows: number,
  runtime: Runtime = runtimeFor(tensors),
): Promise<void> {
  const open = [...new Set(tensors)].filter(({ values }) => values === undefined);
  const shared = shareRows(open, rows);
  await runtime.evaluate(shared.map(({ tensor }) => tensor));
  for (const [i, t] of open.entries()) {
    if (t.values === undefined) spread(t, shared[i] ?? internal("a target is missing"));
  }
}

/** Gives a tensor its rows from those that stand for them. */
function spread(t: Tensor, { tensor, places, axis, count }: SharedRows): void {
  const values = tensor.values ?? internal("a target was not computed");
  t.settle(
    places === undefined ? values : rowsOf(values, tensor, axis, { rows: places, total: count }),
  );
}
