import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import { Module } from "../../nn/module.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { AlignmentBatch, AlignmentData } from "../data/alignment-data.ts";
import { pickExamples } from "../data/pick-examples.ts";
import { logitsOf } from "./logits-of.ts";

/** Data of which a model knows the answers. */
export interface KeptExamples<Inputs> {
  /** The examples that are left. */
  readonly data: AlignmentData<Inputs>;
  /** How many are left. */
  readonly kept: number;
  /** How many there were. */
  readonly of: number;
  /** Their numbers among all. */
  readonly indices: readonly number[];
}

const OP = "keepCorrect";

/**
 * Keeps the examples of which a model, as it is, gives the right answers of the base and of each source
 * that is intervened on, as MIB and RAVEL do: an alignment says nothing where the model does not do the
 * task. Say how many are left wherever you say how good an alignment is.
 *
 * @param data - With `baseLabels`, and `sourceLabels` where it has sources.
 * @param options.batchSize - Examples that are run together. @default 64
 * @param options.signal - Stops before the next batch.
 * @throws TsveneError for data without these labels, and where no example is left.
 *
 * @example
 * ```ts
 * import { AutoTokenizer, GPT2LMHeadModel, keepCorrect, promptPairs } from "tsvene";
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const model = await GPT2LMHeadModel.fromPretrained("tsvene-mini");
 * const capital = (country: string) => `The capital of ${country} is`;
 * const labels = { label: " Rome", baseLabel: " Madrid", sourceLabels: { country: " Rome" } };
 * const pair = { base: capital("Spain"), sources: { country: capital("Italy") }, ...labels };
 * const all = promptPairs(tokenizer, [pair, { ...pair, baseLabel: " Paris" }], { positions: "last" });
 * const { data, kept, of } = await keepCorrect(model, all);
 * console.log(`${kept} of ${of} are left`, data.length);
 * ```
 */
export async function keepCorrect<Inputs>(
  model: Module,
  data: AlignmentData<Inputs>,
  options: { readonly batchSize?: number; readonly signal?: AbortSignal } = {},
): Promise<KeptExamples<Inputs>> {
  requireKnownOptions(OP, options, { batchSize: true, signal: true });
  const { batchSize = 64, signal } = options;
  if (!(model instanceof Module)) fail(OP, "the first argument is the model");
  if (!isCount(batchSize) || batchSize === 0) {
    fail(OP, `batchSize must be a whole number from 1, got ${shown(batchSize)}`);
  }
  const indices: number[] = [];
  for (let start = 0; start < data.length; start += batchSize) {
    signal?.throwIfAborted();
    const count = Math.min(batchSize, data.length - start);
    const batch = data.batch(Array.from({ length: count }, (_, i) => start + i));
    const right = await rightRows(model, batch);
    indices.push(...right.map((row) => start + row));
  }
  if (indices.length === 0) {
    fail(OP, `the model is right on both base and sources in none of ${data.length} examples`);
  }
  return {
    data: pickExamples(data, indices),
    kept: indices.length,
    of: data.length,
    indices,
  };
}

/** Rows of a batch whose base and sources the model answers. */
async function rightRows(model: Module, batch: AlignmentBatch): Promise<readonly number[]> {
  const { base, baseLabels, labelPositions: positions, sources, rows } = batch;
  if (baseLabels === undefined) {
    fail(OP, "the data has no baseLabels, which the model's answers are");
  }
  const isRight = (inputs: unknown, labels: Tensor, labelPositions = positions): Tensor => {
    const asked = labelPositions === undefined ? {} : { labelPositions };
    return logitsOf(OP, callModel(model, inputs), asked).argmax(-1).eq(labels);
  };
  const checks = Object.entries(sources).flatMap(([name, inputs]) => {
    const edited = rows?.[name];
    if (edited?.includes(true) === false) return [];
    const labels = batch.sourceLabels?.[name];
    if (labels === undefined) fail(OP, `the data has no sourceLabels of ${name}`);
    const right = isRight(inputs, labels, batch.sourceLabelPositions?.[name]);
    return [{ right, edited }];
  });
  const first = isRight(base, baseLabels);
  await evaluate(first, ...checks.map(({ right }) => right));
  const values = await Promise.all(
    [first, ...checks.map(({ right }) => right)].map((t) => t.data()),
  );
  const edited = [undefined, ...checks.map((check) => check.edited)];
  return batch.indices.flatMap((_, row) => {
    const isWrong = values.some(
      (right, i) => (edited[i]?.[row] ?? true) && Number(right[row]) === 0,
    );
    return isWrong ? [] : [row];
  });
}
