import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { checkAnnealing } from "./annealing.ts";
import { requireCount } from "./counts.ts";
import { checkEvaluation } from "./evaluation.ts";
import type { LoopOptions, TrainOptions } from "./train-options.ts";

/** Names of the options that every training has. */
export const LOOP_OPTIONS: OptionNames<LoopOptions<unknown>> = {
  epochs: true,
  steps: true,
  batchSize: true,
  shuffle: true,
  dropLast: true,
  optimizer: true,
  lr: true,
  schedule: true,
  warmUp: true,
  accumulate: true,
  maxGradNorm: true,
  anneal: true,
  evaluate: true,
  patience: true,
  seed: true,
  checkpoint: true,
  signal: true,
  onStep: true,
  onEvaluate: true,
  progress: true,
  keepFrozen: true,
  memoryBudget: true,
};

const TRAIN_OPTIONS: OptionNames<TrainOptions<unknown>> = {
  ...LOOP_OPTIONS,
  parameters: true,
  data: true,
  loss: true,
};

const DEFAULTS = {
  shuffle: true,
  dropLast: false,
  schedule: "constant",
  warmUp: 0,
  accumulate: 1,
  anneal: [],
  seed: 0,
  progress: true,
} as const;

/** Options with their defaults. */
export type FullOptions<Batch> = TrainOptions<Batch> &
  Required<Pick<TrainOptions<Batch>, keyof typeof DEFAULTS>>;

/** @throws TsveneError for options that are not known, out of range, or contradict each other. */
export function fullOptions<Batch>(op: string, given: TrainOptions<Batch>): FullOptions<Batch> {
  requireKnownOptions(op, given, TRAIN_OPTIONS);
  const isGiven = ([, value]: readonly [string, unknown]): boolean => value !== undefined;
  const options = {
    ...DEFAULTS,
    ...(Object.fromEntries(
      Object.entries(given).filter(isGiven),
    ) as unknown as TrainOptions<Batch>),
  };
  if (options.batchSize !== undefined) requireCount(op, "batchSize", options.batchSize);
  requireCount(op, "accumulate", options.accumulate);
  requireCount(op, "seed", options.seed, 0);
  if (typeof options.loss !== "function") {
    fail(op, `loss must be a function of a batch, got ${describeValue(options.loss)}`);
  }
  for (const { values } of options.anneal) checkAnnealing(op, values);
  checkStopping(op, options);
  checkKeeping(op, options);
  checkRates(op, options);
  return options;
}

function checkStopping<Batch>(
  op: string,
  { evaluate, patience, signal }: Pick<TrainOptions<Batch>, "evaluate" | "patience" | "signal">,
): void {
  if (evaluate !== undefined) checkEvaluation(op, evaluate);
  if (signal !== undefined && typeof signal.aborted !== "boolean") {
    fail(op, `signal must be an AbortSignal, got ${describeValue(signal)}`);
  }
  if (patience === undefined) return;
  requireCount(op, "patience", patience);
  if (evaluate === undefined) fail(op, "patience counts evaluations; give evaluate: { data }");
}

function checkKeeping<Batch>(
  op: string,
  { keepFrozen, memoryBudget }: Pick<TrainOptions<Batch>, "keepFrozen" | "memoryBudget">,
): void {
  if (keepFrozen !== undefined && typeof keepFrozen !== "boolean") {
    fail(op, `keepFrozen must be true or false, got ${describeValue(keepFrozen)}`);
  }
  if (memoryBudget === undefined) return;
  if (!(memoryBudget >= 0)) {
    fail(op, `memoryBudget must be a number of bytes, got ${shown(memoryBudget)}`);
  }
  if (keepFrozen === false) {
    fail(op, "memoryBudget is given, but with keepFrozen: false nothing is kept; leave one out");
  }
}

function checkRates<Batch>(
  op: string,
  {
    maxGradNorm,
    schedule,
    warmUp,
  }: Pick<TrainOptions<Batch>, "maxGradNorm" | "schedule" | "warmUp">,
): void {
  if (maxGradNorm !== undefined && !(maxGradNorm > 0)) {
    fail(op, `maxGradNorm must be above zero, got ${shown(maxGradNorm)}`);
  }
  if (typeof schedule !== "function" || warmUp === undefined || warmUp === 0) return;
  fail(op, "warmUp is given beside a schedule of your own, which says by itself how rates rise");
}
