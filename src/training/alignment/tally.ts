import { partsOf } from "../../base/lists.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { AlignmentBatch, AlignmentData } from "../data/alignment-data.ts";
import { callAlignment } from "./call-alignment.ts";
import { logitsOf } from "./logits-of.ts";
import type { EvaluatedRun, Metric } from "./metrics.ts";
import type { Variant } from "./variants.ts";

/** Numbers by name, one for each example that was asked for, in their order. */
export type Tally = ReadonlyMap<string, Float64Array>;

/** How examples are gone through. */
export interface TallyOptions {
  readonly op: string;
  readonly metric: Metric;
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What is computed of a batch: tensors [batch] by name. */
export type BatchTrace = (batch: AlignmentBatch) => ReadonlyMap<string, Tensor>;

/**
 * Runs through examples batch by batch, each of which is one program, whatever is traced of it.
 *
 * @param groups - Numbers of examples; no batch has some of two groups.
 */
export async function tally(
  data: AlignmentData,
  groups: readonly (readonly number[])[],
  { batchSize, signal, onProgress }: TallyOptions,
  trace: BatchTrace,
): Promise<Tally> {
  const tallied = new Map<string, Float64Array>();
  const total = groups.reduce((sum, { length }) => sum + length, 0);
  let start = 0;
  for (const indices of groups.flatMap((group) => partsOf(group, batchSize))) {
    signal?.throwIfAborted();
    const traced = trace(data.batch(indices));
    await evaluate(...traced.values());
    for (const [name, values] of traced) {
      const numbers = tallied.get(name) ?? new Float64Array(total);
      tallied.set(name, numbers);
      numbers.set(Float64Array.from(await values.data(), Number), start);
    }
    start += indices.length;
    onProgress?.(start, total);
  }
  return tallied;
}

/** The metric of a variant on a batch, [batch]. */
export function traceVariant(
  { op, metric }: TallyOptions,
  { aligned, hard, isWhole }: Variant,
  { subspaces, ...batch }: AlignmentBatch,
): Tensor {
  const given = isWhole || subspaces === undefined ? batch : { ...batch, subspaces };
  const result = callAlignment(op, aligned, given, { hard });
  return metric.values(
    runOf(
      op,
      batch,
      () => result.intervened,
      () => result.original,
    ),
  );
}

/** A run, whose parts are traced when they are asked for. */
export function runOf(
  op: string,
  batch: AlignmentBatch,
  output: () => unknown,
  original: () => unknown,
): EvaluatedRun {
  return {
    batch,
    get output() {
      return output();
    },
    get original() {
      return original();
    },
    get logits() {
      return logitsOf(op, output(), batch);
    },
    get originalLogits() {
      return logitsOf(op, original(), batch);
    },
  };
}
