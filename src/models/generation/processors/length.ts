import { forbid, force, type Process } from "./process.ts";

/** Forbids stop tokens until the text is so long, prompt included. */
export function leastLength(length: number, eosTokenIds: ReadonlySet<number>): Process {
  return (scores, { ids }) => {
    if (ids.length < length) forbid(scores, eosTokenIds);
  };
}

/** Leaves one token where the text has one. */
export function forcedSecond(id: number): Process {
  return (scores, { ids }) => {
    if (ids.length === 1) force(scores, [id]);
  };
}

/** Leaves some tokens for the last place. */
export function forcedLast(last: readonly number[], maxLength: number): Process {
  return (scores, { ids }) => {
    if (ids.length === maxLength - 1) force(scores, last);
  };
}

/** Leaves the token of a place. */
export function forcedAt(
  placed: readonly (readonly [place: number, id: number | null])[],
): Process {
  const byPlace = new Map(placed);
  return (scores, { ids }) => {
    const id = byPlace.get(ids.length);
    if (id !== undefined && id !== null) force(scores, [id]);
  };
}

/** Makes stop tokens likelier with each token after the first `start` new ones. */
export function decay(
  [start, factor]: readonly [start: number, factor: number],
  eosTokenIds: ReadonlySet<number>,
): Process {
  return (scores, { ids, promptLength }) => {
    const beyond = ids.length - promptLength - start;
    if (beyond <= 0) return;
    for (const id of eosTokenIds) {
      const score = scores[id];
      // One that is forbidden stays so: infinities of both signs would make no number.
      if (score === undefined || score === -Infinity) continue;
      scores[id] = score + Math.abs(score) * (factor ** beyond - 1);
    }
  };
}

/** Forbids tokens. */
export function without(ids: readonly number[]): Process {
  return (scores) => forbid(scores, ids);
}

/** Forbids tokens as the first of what is written, or as that after a forced one. */
export function notFirst(ids: readonly number[], isSecondForced: boolean): Process {
  return (scores, text) => {
    const begin = text.promptLength + (isSecondForced && text.promptLength <= 1 ? 1 : 0);
    if (text.ids.length === begin) forbid(scores, ids);
  };
}

/** The greatest number in float32. */
const GREATEST = 3.4028234663852886e38;

/** Puts a number in place of what is none or is infinite. */
export const onlyNumbers: Process = (scores) => {
  scores.forEach((score, i) => {
    if (Number.isNaN(score)) scores[i] = 0;
    else if (!Number.isFinite(score)) scores[i] = Math.sign(score) * GREATEST;
  });
};
