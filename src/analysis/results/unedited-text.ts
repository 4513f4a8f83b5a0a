import { fixed } from "../../base/fixed.ts";
import { meanOf } from "../../training/alignment/statistics.ts";
import type { Direction } from "./effects.ts";

/** What was run, and the metric of both inputs without edits. */
export interface UneditedRuns {
  /** Which input was the base. */
  readonly direction: Direction;
  /** The metric of each clean input without edits. */
  readonly clean: readonly number[];
  /** The metric of each corrupt input without edits. */
  readonly corrupt: readonly number[];
}

/** What changes are to be compared with, in a line. */
export function uneditedText({ direction, clean, corrupt }: UneditedRuns): string {
  const text = (values: readonly number[]): string => fixed(meanOf(values), 3);
  const what =
    direction === "denoise" ? "clean states in corrupt runs" : "corrupt states in clean runs";
  const n = clean.length;
  return `${what}, ${n} ${n === 1 ? "pair" : "pairs"}: clean ${text(clean)}, corrupt ${text(corrupt)}`;
}
