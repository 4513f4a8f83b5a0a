import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { AlignmentBatch, AlignmentData } from "../data/alignment-data.ts";
import { childGenerator } from "../data/child-generator.ts";
import type { BatchMaker } from "../loop/train-options.ts";
import { drawingFrom } from "../loop/random-scope.ts";
import { prefixOfBatch } from "./call-alignment.ts";

/** Larger data are not looked through. */
const MOST_EXAMPLES = 20_000;
/** Examples that are looked at together. */
const TOGETHER = 256;

/**
 * How many positions all examples have before their edits: with as many read without edits in each batch,
 * all batches have the same shapes, and what is kept of an example fits whichever batch it comes in.
 * Undefined where that is not known, or nothing.
 */
export function commonPrefix(
  op: string,
  aligned: IntervenableModel,
  data: readonly (AlignmentData | BatchMaker<AlignmentBatch>)[],
): number | undefined {
  let least = Infinity;
  for (const set of data) {
    if (typeof set === "function" || !(set.length <= MOST_EXAMPLES)) return undefined;
    const { length } = set;
    for (let start = 0; start < length; start += TOGETHER) {
      const size = Math.min(TOGETHER, length - start);
      const indices = Array.from({ length: size }, (_, i) => start + i);
      // Data that draws at random must not draw from what training draws from.
      const prefix = drawingFrom(childGenerator(0, start), () =>
        prefixOfBatch(op, aligned, set.batch(indices)),
      );
      if (prefix === 0) return undefined;
      least = Math.min(least, prefix);
    }
  }
  return Number.isFinite(least) ? least : undefined;
}
