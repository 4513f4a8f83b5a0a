/** Whole numbers below a bound, the same ones for the same seed. */
export type Below = (bound: number) => number;

/** mulberry32, which is enough to choose what to change. */
export function random(seed: number): Below {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

export function oneOf<T>(items: readonly T[], below: Below): T {
  return items[below(items.length)] as T;
}
