/** A seeded stream of choices: the same seed makes the same text on every machine. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [0, bound). */
  integer(bound: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One item, all equally likely. */
  pick<T>(items: readonly T[]): T;
  /** A new array with the same items in random order. */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * Makes a random stream from a 32-bit seed (mulberry32).
 *
 * Text generation needs whole-number choices and nothing else, so these scripts carry their own
 * few lines instead of depending on the tensors' generator: the corpus, and with it the committed
 * tokenizer, stays the same whatever happens to the library.
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  function integer(bound: number): number {
    return Math.floor(next() * bound);
  }

  function pick<T>(items: readonly T[]): T {
    const index = integer(items.length);
    if (index >= items.length) throw new Error("pick: expected at least one item, got none");
    return items[index] as T;
  }

  function shuffle<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last -= 1) {
      const other = integer(last + 1);
      [result[last], result[other]] = [result[other] as T, result[last] as T];
    }
    return result;
  }

  return { next, integer, chance: (probability) => next() < probability, pick, shuffle };
}
