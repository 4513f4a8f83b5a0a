import { evaluate } from "../../tensor/evaluate.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { AlignmentBatch, AlignmentData } from "../data/alignment-data.ts";
import { callAlignment } from "./call-alignment.ts";
import { logitsOf } from "./logits-of.ts";
import type { EvaluatedRun, Metric } from "./metrics.ts";

/** A model with interventions to be evaluated under a name. */
export interface Variant {
  readonly name: string;
  readonly aligned: IntervenableModel;
  /** Whether masks are taken as decided. */
  readonly hard: boolean;
}

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

/** Runs through examples batch by batch, each of which is one program, whatever is traced of it. */
export async function tally(
  data: AlignmentData,
  examples: readonly number[],
  { batchSize, signal, onProgress }: TallyOptions,
  trace: BatchTrace,
): Promise<Tally> {
  const tallied = new Map<string, Float64Array>();
  for (let start = 0; start < examples.length; start += batchSize) {
    signal?.throwIfAborted();
    const indices = examples.slice(start, start + batchSize);
    const traced = trace(data.batch(indices));
    await evaluate(...traced.values());
    for (const [name, values] of traced) {
      const numbers = tallied.get(name) ?? new Float64Array(examples.length);
      tallied.set(name, numbers);
      numbers.set(Float64Array.from(await values.data(), Number), start);
    }
    onProgress?.(Math.min(start + batchSize, examples.length), examples.length);
  }
  return tallied;
}

/** The metric of a variant on a batch, [batch]. */
export function traceVariant(
  { op, metric }: TallyOptions,
  { aligned, hard }: Variant,
  batch: AlignmentBatch,
): Tensor {
  const result = callAlignment(op, aligned, batch, { hard });
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
