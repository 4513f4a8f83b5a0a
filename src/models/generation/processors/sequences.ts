import { forbid, type Process } from "./process.ts";

/** A sequence of tokens by its last one, and those before it. */
interface Ending {
  readonly before: readonly number[];
  readonly last: number;
  readonly bias: number;
}

function endsWith(ids: readonly number[], tail: readonly number[]): boolean {
  const begin = ids.length - tail.length;
  return begin >= 0 && tail.every((id, i) => ids[begin + i] === id);
}

/**
 * Adds to the score of the token that would complete a sequence. As in Hugging Face, a sequence that
 * is longer than the text so far is not looked for.
 */
export function sequenceBias(
  biases: readonly (readonly [ids: readonly number[], bias: number])[],
): Process {
  // Of a sequence that is given twice the last bias counts.
  const bySequence = new Map(biases.map(([ids, bias]) => [ids.join(), { ids, bias }]));
  const endings: Ending[] = [...bySequence.values()].map(({ ids, bias }) => ({
    before: ids.slice(0, -1),
    last: ids.at(-1) ?? 0,
    bias,
  }));
  return (scores, { ids }) => {
    // Sums first, as biases of the same token may be huge and opposite.
    const added = new Map<number, number>();
    for (const { before, last, bias } of endings) {
      const applies = before.length === 0 || (before.length < ids.length && endsWith(ids, before));
      if (applies) added.set(last, (added.get(last) ?? 0) + bias);
    }
    for (const [id, bias] of added) scores[id] = (scores[id] ?? 0) + bias;
  };
}

/** Forbids the tokens that would complete one of some sequences; a stop token alone is none of them. */
export function noWords(
  words: readonly (readonly number[])[],
  eosTokenIds: ReadonlySet<number>,
): Process {
  const banned = words.filter(([first = 0, ...rest]) => rest.length > 0 || !eosTokenIds.has(first));
  const alone = banned.flatMap((word) => (word.length === 1 ? word : []));
  const longer = banned.filter(({ length }) => length > 1);
  return (scores, { ids }) => {
    forbid(scores, alone);
    for (const word of longer) {
      const fits = word.length <= ids.length && endsWith(ids, word.slice(0, -1));
      if (fits) forbid(scores, word.slice(-1));
    }
  };
}
