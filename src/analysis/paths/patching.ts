import { type OptionNames } from "../../base/known-options.ts";
import type { ContrastSide } from "../data/contrast-data.ts";
import type { ContrastMetricChoice } from "../metrics/contrast-metric.ts";
import type { Direction } from "../results/effects.ts";

/**
 * What is put in place of what a sender wrote:
 *
 * - `"counterpart"`: what it wrote for the pair's other input;
 * - `"zero"`: nothing; of an attention's heads, its bias stays;
 * - `{ mean }`: at each position, the mean of what it wrote for all clean or all corrupt inputs.
 */
export type PatchSource = "counterpart" | "zero" | { readonly mean: ContrastSide };

/** What is put in where senders are patched, and what is measured: plain data, where the metric is named. */
export interface Patching {
  /** Which input is run with what the other wrote. @default "noise" */
  readonly direction?: Direction;
  /** What is put in. @default "counterpart" */
  readonly source?: PatchSource;
  /** What is measured. @default "logitDifference" */
  readonly metric?: ContrastMetricChoice;
}

/** How paths are run: nothing of it changes what comes out. */
export interface PatchingOptions {
  /** Bytes that the states of the runs of one program may take. @default 256 MiB */
  readonly memoryBudget?: number;
  /** Called when runs are finished, of each set of edges or sender with each pair. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops before the next program. */
  readonly signal?: AbortSignal;
}

/** Names of what {@link Patching} says. */
export const PATCHING: OptionNames<Patching> = { direction: true, source: true, metric: true };
/** Names of what {@link PatchingOptions} say. */
export const OPTIONS: OptionNames<PatchingOptions> = {
  memoryBudget: true,
  onProgress: true,
  signal: true,
};
