import { fail } from "../../base/errors.ts";
import { requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { OptionNames } from "../../base/known-options.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { FrozenParts } from "../frozen/frozen-parts.ts";
import { childGenerator } from "../data/child-generator.ts";
import { requireCount } from "./counts.ts";
import { batchSizeFor, STREAMS } from "./feeds.ts";
import { meanOf, type Numbers, numbersOf } from "./numbers.ts";
import { asTraced, metricsOf } from "./trace-batch.ts";
import { drawingFrom } from "./random-scope.ts";
import type {
  BestRecord,
  EvaluationOptions,
  EvaluationRecord,
  LossOf,
  TrainingData,
} from "./train-options.ts";

const OPTIONS: OptionNames<EvaluationOptions<unknown>> = {
  data: true,
  measure: true,
  every: true,
  batchSize: true,
  metric: true,
  mode: true,
};

/** @throws TsveneError for what cannot be evaluated. */
export function checkEvaluation<Batch>(op: string, options: EvaluationOptions<Batch>): void {
  requireKnownOptions(`${op}: evaluate`, options, OPTIONS);
  const { data, measure, every, mode, batchSize } = options;
  if ((data === undefined) === (measure === undefined)) {
    fail(op, "evaluate takes data, or measure: a function that gives numbers");
  }
  if (every !== undefined) requireCount(op, "evaluate.every", every);
  if (batchSize !== undefined) requireCount(op, "evaluate.batchSize", batchSize);
  requireOneOf(op, "evaluate.mode", mode, [undefined, "min", "max"]);
}

/** What an evaluation works with. */
export interface EvaluationSettings<Batch> {
  readonly op: string;
  readonly options: EvaluationOptions<Batch>;
  readonly loss: LossOf<Batch>;
  readonly batchSize: number | undefined;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  /** What is kept of what does not depend on the parameters. */
  readonly frozen: FrozenParts | undefined;
  readonly parameters: readonly Parameter[];
}

/** Measures what training has reached after some steps; undefined when it was stopped meanwhile. */
export async function measure<Batch>(
  settings: EvaluationSettings<Batch>,
  steps: number,
): Promise<EvaluationRecord | undefined> {
  const { data, measure: own } = settings.options;
  if (own !== undefined) {
    const given = await own(steps);
    return { steps, metrics: typeof given === "number" ? { metric: given } : given };
  }
  const numbers = data && (await measureData(settings, data));
  return numbers && { steps, metrics: { ...numbers.metrics, loss: numbers.loss } };
}

async function measureData<Batch>(
  { op, options, loss, batchSize, seed, signal, frozen, parameters }: EvaluationSettings<Batch>,
  data: TrainingData<Batch>,
): Promise<Numbers | undefined> {
  // What is said of training only bounds the size here.
  const usual = batchSize === undefined ? undefined : Math.min(batchSize, data.length);
  const size = batchSizeFor(op, data, options.batchSize ?? usual);
  const [all, counts]: [Numbers[], number[]] = [[], []];
  for (let start = 0; start < data.length; start += size) {
    if (signal?.aborted === true) return undefined;
    const indices = Array.from(
      { length: Math.min(size, data.length - start) },
      (_, i) => start + i,
    );
    const generator = childGenerator(seed, STREAMS.evaluation, start);
    const moment = { step: all.length, microstep: all.length, generator, training: false };
    const traced = drawingFrom(generator.split(), () =>
      asTraced(op, loss(data.batch(indices), moment)),
    );
    await frozen?.settle([traced.loss, ...Object.values(traced.metrics ?? {})], parameters);
    const metrics = metricsOf("", traced);
    await evaluate(traced.loss, ...Object.values(metrics));
    all.push(numbersOf({ loss: traced.loss, metrics }));
    counts.push(indices.length);
  }
  return meanOf(all, counts);
}

/** What evaluations are compared by. */
export type Compared = Pick<EvaluationOptions<unknown>, "metric" | "mode">;

/** Whether an evaluation is better than the best so far, and by which of its numbers. */
export function comparison(
  op: string,
  { metric, mode }: Compared,
  { steps, metrics }: EvaluationRecord,
): BestRecord & { readonly isBetterThan: (other: number) => boolean } {
  const name = metric ?? Object.keys(metrics).find((key) => key !== "loss") ?? "loss";
  const value = metrics[name];
  if (value === undefined) {
    fail(op, `evaluate.metric: there is no ${name}; there are ${Object.keys(metrics).join(", ")}`);
  }
  const isLeast = (mode ?? (name === "loss" ? "min" : "max")) === "min";
  const isBetterThan = (other: number): boolean => (isLeast ? value < other : value > other);
  return { steps, metric: name, value, isBetterThan };
}
