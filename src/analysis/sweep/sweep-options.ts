import type { InterventionKind } from "../../intervenable/config/intervention-kind.ts";
import type { Unit } from "../../intervenable/config/representation-config.ts";
import type { GridSite, SiteGrid } from "../../intervenable/grid/site-grid.ts";
import type { ContrastSide } from "../data/contrast-data.ts";
import type { ContrastMetricChoice } from "../metrics/contrast-metric.ts";
import type { Direction, Effects } from "../results/effects.ts";

/**
 * What is put into the run that is edited:
 *
 * - `"counterpart"`: the state of the pair's other input;
 * - `"zero"`: nothing;
 * - `{ mean }`: the mean of the states of all clean or all corrupt inputs at that place;
 * - `{ resample }`: the state of another pair, drawn at random; with several `draws`, the metric's mean.
 */
export type SweepSource =
  | "counterpart"
  | "zero"
  | { readonly mean: ContrastSide }
  | {
      readonly resample: ContrastSide;
      /** How many are drawn for each pair. @default 1 */
      readonly draws?: number;
      /** Where the draws start. @default 0 */
      readonly seed?: number;
    };

/** Noise on what enters the first layer, which corrupts the clean inputs in place of the corrupt ones. */
export interface NoiseCorruption {
  /** The positions that get noise, such as a name of the pairs' positions. */
  readonly position: number | string;
  /** Standard deviation of the noise. */
  readonly scale: number;
  /** How many runs, each with noise of its own, the metric is the mean of. @default 10 */
  readonly draws?: number;
  /** Where the noise starts: it is the same in all cells. @default 0 */
  readonly seed?: number;
}

/** What is edited in a sweep, and what is looked at: plain data, where metric and intervention are named. */
export interface Sweep {
  /** The cells: each is one value along each axis. */
  readonly sites: SiteGrid;
  /** Which input is run with the edits. @default "denoise" */
  readonly direction?: Direction;
  /** What is measured. @default "logitDifference" */
  readonly metric?: ContrastMetricChoice;
  /** What is put in. @default "counterpart" */
  readonly source?: SweepSource;
  /** Noise that corrupts; the pairs' corrupt inputs are then not used. @default none */
  readonly corruption?: NoiseCorruption;
  /** What is done at each cell: a class, or a class with options. @default VanillaIntervention */
  readonly intervention?: InterventionKind;
  /** Layers that are edited at once, around the cell's. @default 1 */
  readonly window?: number;
  /** What locations count, where the axes do not say it. @default "pos" */
  readonly unit?: Unit;
}

/** How a sweep is run: nothing of it changes what comes out. */
export interface SweepOptions {
  /** Bytes that the states of the runs of one program may take. @default 256 MiB */
  readonly memoryBudget?: number;
  /** What was found before, of which only what is missing is computed. */
  readonly resume?: Effects;
  /** Called for each cell that is finished, with all that were found so far. */
  readonly onCell?: (cell: GridSite, effects: Effects) => void;
  /** Called when cells are finished. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops before the next program. */
  readonly signal?: AbortSignal;
}
