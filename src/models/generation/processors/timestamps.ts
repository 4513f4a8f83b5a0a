import { forbid, type Process } from "./process.ts";
import { logSoftmax, peakOf } from "./softmax.ts";

/** Tokens that times are written with, which are all after one of them. */
export interface Timestamps {
  /** The token that says that there are no times; the next one is that of 0 seconds. */
  readonly noTimestampsTokenId: number;
  /** Steps of 0.02 s that the first time is at most; null for any. */
  readonly maxInitialIndex: number | null;
}

function hide(scores: Float32Array, begin: number, end: number): void {
  scores.fill(-Infinity, Math.max(0, begin), Math.max(0, end));
}

/**
 * Makes times come in pairs around what is said, never go back, and be written where all of them
 * together are likelier than any word. Radford and others, "Robust Speech Recognition via Large-Scale
 * Weak Supervision", 2022, with the rules of the authors' decoder.
 */
export function timestamps(
  { noTimestampsTokenId, maxInitialIndex }: Timestamps,
  eosTokenId: number,
): Process {
  const first = noTimestampsTokenId + 1;
  const isTime = (id: number | undefined): boolean => id !== undefined && id >= first;
  return (scores, { ids, promptLength }) => {
    const written = ids.slice(promptLength);
    forbid(scores, [noTimestampsTokenId]);
    const isLast = isTime(written.at(-1));
    const isSecondLast = written.length < 2 || isTime(written.at(-2));
    if (isLast && isSecondLast) hide(scores, first, scores.length);
    if (isLast && !isSecondLast) hide(scores, 0, eosTokenId);
    const latest = written.findLast(isTime);
    // A pair may end and begin at the same time; else the next is later.
    if (latest !== undefined) hide(scores, first, isLast && !isSecondLast ? latest : latest + 1);
    if (written.length === 0) {
      hide(scores, 0, first);
      if (maxInitialIndex !== null) hide(scores, first + maxInitialIndex + 1, scores.length);
    }
    if (timesAreLikelier(scores, first)) hide(scores, 0, first);
  };
}

function timesAreLikelier(scores: Float32Array, first: number): boolean {
  const logs = logSoftmax(scores);
  const times = logs.subarray(first).reduce((sum, log) => sum + Math.exp(log), 0);
  return Math.log(times) > peakOf(logs.subarray(0, first));
}
