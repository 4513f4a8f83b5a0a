import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { AlignmentData } from "../data/alignment-data.ts";
import type { AlignmentTable, TableRow } from "./alignment-table.ts";
import type { GridData } from "./grid-views.ts";
import { type MetricChoice, metricOf } from "./metrics.ts";
import type { TallyOptions } from "./tally.ts";
import { trainAlignment, type TrainAlignmentOptions } from "./train-alignment.ts";
import type { OtherSite } from "./variants.ts";

/** Trains an alignment on data, in place. */
export type AlignmentTrainer = (
  aligned: IntervenableModel,
  data: AlignmentData,
) => Promise<unknown>;

/** What evaluating an alignment and searching a grid have in common. */
interface SharedOptions {
  /** How answers are read. @default "argmax" */
  readonly metric?: MetricChoice;
  /** Examples that are run together. @default 64 */
  readonly batchSize?: number;
  /** How many interventions of the same size are drawn to compare with; 0 for none. @default 5 */
  readonly randomDraws?: number;
  /**
   * Train such interventions once more, on labels that were dealt out anew, to compare with. Takes `train`
   * and `trainData`. @default false
   */
  readonly shuffledLabels?: boolean;
  /**
   * The family of an example by its number, such as `"cause"` and `"iso"`: the score then says each
   * apart. RAVEL's iso examples are those of another attribute, whose answer is to stay the base's.
   * @default no families
   */
  readonly family?: (example: number) => string;
  /** Where what is drawn starts. @default 0 */
  readonly seed?: number;
  /** Stops before the next batch. */
  readonly signal?: AbortSignal;
}

/** How an alignment is evaluated, and what it is compared with. */
export interface EvalAlignmentOptions extends SharedOptions {
  /**
   * Another site for the same interventions, as they are. @default half the model's layers away, where it
   * has layers
   */
  readonly otherSite?: OtherSite | false;
  /** How to train, for `shuffledLabels`: options of `trainAlignment`, or a function. */
  readonly train?: TrainAlignmentOptions | AlignmentTrainer;
  /** What the alignment was trained on. Examples of the test that are among these are an error. */
  readonly trainData?: AlignmentData;
  /** Called after each batch, with numbers of examples. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** How the sites of a grid are evaluated. */
export interface EvalGridOptions extends SharedOptions {
  /**
   * Train at each site first: options of `trainAlignment`, or a function. Takes `trainData`.
   * @default no training: interventions as they are made
   */
  readonly train?: TrainAlignmentOptions | AlignmentTrainer;
  /** What is trained on, where sites are trained. Examples of the test that are among these are an error. */
  readonly trainData?: GridData;
  /** A table of the same grid, whose sites are not evaluated again. */
  readonly resume?: AlignmentTable;
  /** Called with each site as soon as it is evaluated, and with the table so far. */
  readonly onCell?: (row: TableRow, table: AlignmentTable) => void;
  /** Called after each site, with numbers of sites. */
  readonly onProgress?: (done: number, total: number) => void;
}

const SHARED: OptionNames<SharedOptions> = {
  metric: true,
  batchSize: true,
  randomDraws: true,
  shuffledLabels: true,
  family: true,
  seed: true,
  signal: true,
};

const OPTIONS: OptionNames<EvalAlignmentOptions> = {
  ...SHARED,
  otherSite: true,
  train: true,
  trainData: true,
  onProgress: true,
};

const GRID_OPTIONS: OptionNames<EvalGridOptions> = {
  ...SHARED,
  train: true,
  trainData: true,
  resume: true,
  onCell: true,
  onProgress: true,
};

/** @throws TsveneError for options that are not known, and for what they cannot be. */
export function tallyOptions(op: string, options: EvalAlignmentOptions): TallyOptions {
  requireKnownOptions(op, options, OPTIONS);
  if (options.train !== undefined && options.shuffledLabels !== true) {
    fail(
      op,
      "train is for grids and for shuffledLabels; train this one with trainAlignment before",
    );
  }
  return { ...readShared(op, options), onProgress: options.onProgress };
}

/** As {@link tallyOptions}, for grids. */
export function gridOptions(op: string, options: EvalGridOptions): TallyOptions {
  requireKnownOptions(op, options, GRID_OPTIONS);
  if (options.train !== undefined && options.trainData === undefined) {
    fail(
      op,
      "train needs trainData, which sites are trained on; the test's examples are not for that",
    );
  }
  return readShared(op, options);
}

function readShared(
  op: string,
  options: SharedOptions & { readonly train?: unknown; readonly trainData?: unknown },
): TallyOptions {
  const { metric, batchSize = 64, randomDraws, signal, shuffledLabels } = options;
  if (!isCount(batchSize) || batchSize === 0) {
    fail(op, `batchSize must be a whole number of 1 or more, got ${describeValue(batchSize)}`);
  }
  if (randomDraws !== undefined && !isCount(randomDraws)) {
    fail(op, `randomDraws must be a whole number of 0 or more, got ${describeValue(randomDraws)}`);
  }
  if (shuffledLabels === true && (!options.train || !options.trainData)) {
    fail(op, "shuffledLabels trains once more: give train and trainData");
  }
  return { op, metric: metricOf(op, metric), batchSize, signal };
}

/** What trains, of what the options say of it. */
export function trainerOf({ train }: Pick<EvalGridOptions, "train">): AlignmentTrainer | undefined {
  if (train === undefined || typeof train === "function") return train;
  return (aligned, data) => trainAlignment(aligned, data, train);
}

/** The families of examples; none where they have none. */
export function familiesOf(
  { family }: Pick<SharedOptions, "family">,
  examples: readonly number[],
): readonly string[] {
  return family === undefined ? [] : examples.map((example) => family(example));
}
