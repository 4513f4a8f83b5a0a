import { fail } from "../../base/errors.ts";
import type { AlignmentData } from "../data/alignment-data.ts";

/**
 * A test on what was trained on says how well it was learned by heart.
 *
 * @throws TsveneError for examples of both, where the data tells equal examples by a key.
 */
export function requireUnseen(
  op: string,
  test: AlignmentData,
  trained: AlignmentData | undefined,
): void {
  if (trained?.key === undefined || test.key === undefined) return;
  const known = new Map<string, number>();
  for (let i = 0; i < trained.length; i++) known.set(trained.key(i), i);
  const both = Array.from({ length: test.length }, (_, i) => i).filter((i) =>
    known.has(test.key?.(i) ?? ""),
  );
  const [first] = both;
  if (first === undefined) return;
  const like = known.get(test.key(first)) ?? 0;
  fail(
    op,
    `${both.length} of ${test.length} examples are among those that were trained on, such as example ` +
      `${first}, which is ${like} there; evaluate on others, or leave trainData out where that is meant`,
  );
}
