import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import type { Generator } from "../../tensor/random/random.ts";
import { childGenerator } from "./child-generator.ts";

/** Examples by number: a list, or something that makes each when it is asked for. */
export interface ExampleSource<Example> {
  /** Number of examples. */
  readonly length: number;
  /** The example with a number, from 0; always the same one. */
  at(index: number): Example | undefined;
}

/**
 * Examples that are drawn when they are needed, and never kept: each depends on the seed and on its
 * number only, so that there may be millions of them, and one is the same whenever it is asked for.
 *
 * @param length - Number of examples. Take steps x batch size for data drawn afresh in each step.
 * @param draw - Makes an example from random numbers of its own.
 * @param options.seed - A whole number. @default 0
 * @throws TsveneError for a length or a seed that is none.
 *
 * @example
 * ```ts
 * import { drawnExamples } from "tsvene";
 * const sums = drawnExamples(1_000_000, (generator) => {
 *   const [a, b, c] = [generator.integer(10), generator.integer(10), generator.integer(10)];
 *   return { base: { a, b: 1 }, sources: { b: { a: 1, b: c } }, label: a + c };
 * });
 * console.log(sums.at(123_456)); // the same in every process
 * ```
 */
export function drawnExamples<Example>(
  length: number,
  draw: (generator: Generator, index: number) => Example,
  options: { readonly seed?: number } = {},
): ExampleSource<Example> {
  const op = "drawnExamples";
  requireKnownOptions(op, options, { seed: true });
  const { seed = 0 } = options;
  if (!isCount(length)) fail(op, `length must be a whole number, got ${shown(length)}`);
  if (!isCount(seed)) fail(op, `seed must be a whole number, got ${shown(seed)}`);
  if (typeof draw !== "function") {
    fail(op, `expected a function that makes an example, got ${describeValue(draw)}`);
  }
  return {
    length,
    at: (index) =>
      isCount(index) && index < length ? draw(childGenerator(seed, index), index) : undefined,
  };
}
