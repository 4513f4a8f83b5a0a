import { shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { isCount } from "../base/is-count.ts";
import type { Generator } from "../tensor/random/generator.ts";

/**
 * Batches in each of which the same variables are intervened on. Examples keep their order, unless a
 * generator shuffles them and the batches; the last batch of each set of variables may be smaller.
 *
 * @param examples - Each with its sources by variable.
 * @returns For each batch, which examples are in it.
 * @throws TsveneError for a batch size that is none.
 *
 * @example
 * ```ts
 * import { homogeneousBatches } from "tsvene";
 * const [a, b] = [{ sources: { A: 1 } }, { sources: { B: 2 } }];
 * console.log(homogeneousBatches([a, b, a, a], 2)); // [[0, 2], [3], [1]]
 * ```
 */
export function homogeneousBatches(
  examples: readonly { readonly sources: object }[],
  batchSize: number,
  { generator }: { readonly generator?: Generator } = {},
): number[][] {
  const op = "homogeneousBatches";
  if (!isCount(batchSize) || batchSize === 0) {
    fail(op, `batchSize must be a whole number from 1, got ${shown(batchSize)}`);
  }
  const groups = new Map<string, number[]>();
  for (const [i, { sources }] of examples.entries()) {
    const set = JSON.stringify(Object.keys(sources).sort());
    const group = groups.get(set) ?? [];
    group.push(i);
    groups.set(set, group);
  }
  const batches = [...groups.values()].flatMap((group) => {
    const inOrder = shuffled(group, generator);
    const count = Math.ceil(group.length / batchSize);
    return Array.from({ length: count }, (_, i) =>
      inOrder.slice(i * batchSize, (i + 1) * batchSize),
    );
  });
  return shuffled(batches, generator);
}

/** In an order drawn at random (Fisher and Yates), or as they are. */
function shuffled<T>(list: readonly T[], generator: Generator | undefined): T[] {
  const out = [...list];
  if (generator === undefined) return out;
  for (let i = out.length - 1; i > 0; i--) {
    const j = generator.integer(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}
