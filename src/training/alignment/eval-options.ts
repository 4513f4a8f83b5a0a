import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { AlignmentData } from "../data/alignment-data.ts";
import { type MetricChoice, metricOf } from "./metrics.ts";
import type { TallyOptions } from "./tally.ts";
import type { OtherSite } from "./variants.ts";

/** Trains an alignment on data, in place. */
export type AlignmentTrainer = (
  aligned: IntervenableModel,
  data: AlignmentData,
) => Promise<unknown>;

/** How an alignment is evaluated, and what it is compared with. */
export interface EvalAlignmentOptions {
  /** How answers are read. @default "argmax" */
  readonly metric?: MetricChoice;
  /** Examples that are run together. @default 64 */
  readonly batchSize?: number;
  /** How many interventions of the same size are drawn to compare with; 0 for none. @default 5 */
  readonly randomDraws?: number;
  /**
   * Another site for the same interventions, as they are. @default half the model's layers away, where it
   * has layers
   */
  readonly otherSite?: OtherSite | false;
  /**
   * Train such interventions once more, on labels in another order, to compare with. Takes `train` and
   * `trainData`. @default false
   */
  readonly shuffledLabels?: boolean;
  /** How to train; used for `shuffledLabels`. */
  readonly train?: AlignmentTrainer;
  /** What the alignment was trained on. Examples of the test that are among these are an error. */
  readonly trainData?: AlignmentData;
  /** Where what is drawn starts. @default 0 */
  readonly seed?: number;
  /** Stops before the next batch. */
  readonly signal?: AbortSignal;
  /** Called after each batch, with numbers of examples. */
  readonly onProgress?: (done: number, total: number) => void;
}

const OPTIONS: OptionNames<EvalAlignmentOptions> = {
  metric: true,
  batchSize: true,
  randomDraws: true,
  otherSite: true,
  shuffledLabels: true,
  train: true,
  trainData: true,
  seed: true,
  signal: true,
  onProgress: true,
};

/** @throws TsveneError for options that are not known, and for what they cannot be. */
export function tallyOptions(op: string, options: EvalAlignmentOptions): TallyOptions {
  requireKnownOptions(op, options, OPTIONS);
  const { metric, batchSize = 64, randomDraws, signal, onProgress, shuffledLabels } = options;
  if (!isCount(batchSize) || batchSize === 0) {
    fail(op, `batchSize must be a whole number of 1 or more, got ${describeValue(batchSize)}`);
  }
  if (randomDraws !== undefined && !isCount(randomDraws)) {
    fail(op, `randomDraws must be a whole number of 0 or more, got ${describeValue(randomDraws)}`);
  }
  if (shuffledLabels === true && (!options.train || !options.trainData)) {
    fail(op, "shuffledLabels trains once more: give train and trainData");
  }
  return { op, metric: metricOf(op, metric), batchSize, signal, onProgress };
}
