import { Generator } from "../../tensor/random/random.ts";

/** The generator that a seed gives for some numbers: it depends on nothing else. */
export function childGenerator(seed: number, ...path: readonly number[]): Generator {
  return path.reduce(
    (parent, n) => new Generator({ ...parent.stateDict(), splits: n }).split(),
    new Generator(seed),
  );
}
