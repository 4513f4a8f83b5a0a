import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";

/**
 * The first and the last tokens of a prompt, as pyreft's `f7+l7` has them: of a prompt that is too short for
 * both, at most half are first and half are last, so that none comes twice.
 *
 * @param length - Number of the prompt's tokens.
 * @param first - How many of the first.
 * @param last - How many of the last. @default as many
 * @returns positions from 0, as `unitLocations` and {@link promptPairs} take them.
 * @throws TsveneError for what are no whole numbers of 0 or more.
 *
 * @example
 * ```ts
 * import { firstAndLast } from "tsvene";
 * console.log(firstAndLast(10, 2)); // [0, 1, 8, 9]
 * console.log(firstAndLast(5, 7, 7)); // [0, 1, 3, 4]
 * console.log(firstAndLast(10, 0, 1)); // [9], the last
 * ```
 */
export function firstAndLast(length: number, first: number, last: number = first): number[] {
  for (const [name, value] of Object.entries({ length, first, last })) {
    if (isCount(value)) continue;
    fail("firstAndLast", `${name} must be a whole number of 0 or more, got ${String(value)}`);
  }
  const most = first > 0 && last > 0 ? Math.floor(length / 2) : length;
  const [before, after] = [Math.min(first, most), Math.min(last, most)];
  return [
    ...Array.from({ length: before }, (_, i) => i),
    ...Array.from({ length: after }, (_, i) => length - after + i),
  ];
}
