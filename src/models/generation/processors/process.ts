import type { TextSoFar } from "../options.ts";

/** Changes the scores of a row's next token where they are. */
export type Process = (scores: Float32Array, text: TextSoFar) => void;

/** Takes tokens out of the choice; those beyond the scores are in no choice. */
export function forbid(scores: Float32Array, ids: Iterable<number>): void {
  for (const id of ids) if (id < scores.length) scores[id] = -Infinity;
}

/** Leaves only these tokens, as certain ones. */
export function force(scores: Float32Array, ids: Iterable<number>): void {
  scores.fill(-Infinity);
  for (const id of ids) if (id < scores.length) scores[id] = 0;
}
