import { Generator } from "../../tensor/random/random.ts";

/** The n-th generator that a seed gives: it depends on the seed and on n only. */
export function childGenerator(seed: number, n: number): Generator {
  return new Generator({ ...new Generator(seed).stateDict(), splits: n }).split();
}
