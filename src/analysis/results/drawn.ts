import { range } from "../../base/lists.ts";
import type { Generator } from "../../tensor/random/generator.ts";

/** So many of a list at random, each once; all of a shorter one. */
export function drawn<T>(list: readonly T[], count: number, generator: Generator): readonly T[] {
  const rest = [...list];
  return range(Math.min(count, list.length)).flatMap(() =>
    rest.splice(generator.integer(rest.length), 1),
  );
}
