import { forbid, type Process } from "./process.ts";

/**
 * Divides the logits above 0 of some tokens, and multiplies those below: Keskar and others, "CTRL",
 * 2019.
 */
function penalize(scores: Float32Array, ids: Iterable<number>, penalty: number): void {
  for (const id of new Set(ids)) {
    const score = scores[id];
    if (score !== undefined) scores[id] = score < 0 ? score * penalty : score / penalty;
  }
}

/** Makes tokens less likely that are in the text. */
export function repetitionPenalty(penalty: number): Process {
  return (scores, { ids }) => penalize(scores, ids, penalty);
}

/** Makes tokens likelier that are in what was read first, each row's own. */
export function sourceReward(reward: number, sources: readonly (readonly number[])[]): Process {
  return (scores, { row }) => penalize(scores, sources[row] ?? [], 1 / reward);
}

/** The tokens that follow the last size - 1 tokens of `text` where they occur in `among`. */
function followers(
  among: readonly number[],
  text: readonly number[],
  size: number,
): Iterable<number> {
  const begin = text.length - (size - 1);
  const found: number[] = [];
  if (begin < 0) return found;
  for (let end = size - 1; end < among.length; end++) {
    let same = 0;
    while (same < size - 1 && among[end - size + 1 + same] === text[begin + same]) same++;
    if (same === size - 1) found.push(among[end] ?? 0);
  }
  return found;
}

/**
 * Forbids what would make a sequence of `size` tokens occur again: Paulus and others, "A Deep
 * Reinforced Model for Abstractive Summarization", 2017.
 */
export function noRepeatedNgrams(size: number): Process {
  return (scores, { ids }) => forbid(scores, followers(ids, ids, size));
}

/** Forbids what would make a sequence of `size` tokens that occurs in what was read first. */
export function noSourceNgrams(size: number, sources: readonly (readonly number[])[]): Process {
  return (scores, { ids, row }) => forbid(scores, followers(sources[row] ?? [], ids, size));
}
