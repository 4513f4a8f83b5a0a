import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { Generator } from "../../tensor/random/generator.ts";
import type { ContrastSide } from "../data/contrast-data.ts";
import type { Sweep } from "./sweep-options.ts";

/** One run: a pair with the edits of a cell, and where the states come from. */
export interface Run<Cell> {
  readonly cell: Cell;
  readonly pair: number;
  /** The pair whose states are put in. */
  readonly donor: number;
  /** Which draw of the pair it is, from 0. */
  readonly draw: number;
}

/** What a sweep's source and corruption come to. */
export interface SourcePlan {
  /** The input that runs with the edits. */
  readonly base: ContrastSide;
  /** The input that states are taken from; undefined where none are. */
  readonly from: ContrastSide | undefined;
  /** Whether the mean over all pairs is put in. */
  readonly isMean: boolean;
  /** Runs of each pair in each cell, which the metric is the mean of. */
  readonly draws: number;
  /** The pair that each draw of a pair takes its states from. */
  readonly donorOf: (pair: number, draw: number) => number;
}

const OP = "sweep";
/** The two inputs of a direction: the one that runs with edits, and the one that states are taken from. */
export const SIDES = {
  denoise: { base: "corrupt", from: "clean" },
  noise: { base: "clean", from: "corrupt" },
} as const;
const DRAWS = 10;

/** @throws TsveneError for a source and a corruption that do not say what to do, or not together. */
export function planSource(
  { direction = "denoise", source = "counterpart", corruption, intervention }: Sweep,
  pairs: number,
): SourcePlan {
  const sides = SIDES[direction];
  const own = { isMean: false, draws: 1, donorOf: (pair: number): number => pair };
  if (corruption !== undefined) {
    if (source !== "counterpart") fail(OP, `corruption goes with the source "counterpart" only`);
    const { draws = DRAWS, scale } = corruption;
    if (direction !== "denoise") fail(OP, 'corruption is restored by the direction "denoise" only');
    if (!(scale >= 0)) {
      fail(OP, `corruption: scale must be a number of 0 or more, got ${shown(scale)}`);
    }
    requireCount("corruption: draws", draws);
    return { ...sides, ...own, draws };
  }
  if (typeof source === "string") {
    requireOneOf(OP, "source", source, ["counterpart", "zero", "{ mean }", "{ resample }"]);
    if (source === "counterpart") return { ...sides, ...own };
    if (intervention !== undefined) {
      fail(OP, 'the source "zero" takes no intervention; leave it out');
    }
    return { base: sides.base, ...own, from: undefined };
  }
  if ("mean" in source) {
    requireSide("mean", source.mean);
    return { base: sides.base, ...own, from: source.mean, isMean: true };
  }
  const { resample, draws = 1, seed = 0 } = source;
  requireSide("resample", resample);
  requireCount("resample: draws", draws);
  if (pairs < 2) fail(OP, "a pair alone has no other to resample from; give several pairs");
  return { base: sides.base, ...own, from: resample, draws, donorOf: donors(pairs, draws, seed) };
}

/** Draws another pair for each; the same whichever pairs and cells are run together. */
function donors(
  pairs: number,
  draws: number,
  seed: number,
): (pair: number, draw: number) => number {
  const generator = new Generator(seed);
  const drawn = Array.from({ length: pairs * draws }, () => generator.integer(pairs - 1));
  return (pair, draw) => {
    const other = drawn[pair * draws + draw] ?? 0;
    return other < pair ? other : other + 1;
  };
}

function requireSide(name: string, side: unknown): void {
  requireOneOf(OP, name, side, ["clean", "corrupt"]);
}

function requireCount(name: string, count: unknown): void {
  if (isCount(count) && count > 0) return;
  fail(OP, `${name} must be a whole number from 1, got ${shown(count)}`);
}
