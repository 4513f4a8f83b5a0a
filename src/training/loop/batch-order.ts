import { Generator } from "../../tensor/random/random.ts";

/** The n-th generator that a seed gives, which no other depends on. */
export function childOf(seed: number, ...path: readonly number[]): Generator {
  return path.reduce(
    (parent, n) => new Generator({ ...parent.stateDict(), splits: n }).split(),
    new Generator(seed),
  );
}

/** The order of the examples in an epoch: a permutation that depends on seed and epoch only. */
export function shuffled(length: number, generator: Generator): readonly number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = generator.integer(i + 1);
    const [a = i, b = j] = [order[i], order[j]];
    [order[i], order[j]] = [b, a];
  }
  return order;
}
