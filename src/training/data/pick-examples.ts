import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import type { AlignmentData } from "./alignment-data.ts";

/**
 * Some of the examples of data, as data: a part for training and another for the test, or those that a
 * condition leaves.
 *
 * @param indices - Numbers of the examples, in the order in which they are to be numbered.
 * @throws TsveneError for a number that no example has.
 *
 * @example
 * ```ts
 * import { pickExamples, settingPairs } from "tsvene";
 * const examples = [1, 2, 3].map((a) => ({ base: { a }, sources: {}, label: { double: 2 * a } }));
 * const data = settingPairs({ inputs: ["a"] }, examples);
 * const [train, test] = [pickExamples(data, [0, 2]), pickExamples(data, [1])];
 * console.log(train.length, await test.batch([0]).base.toArray()); // 2 and [[2]]
 * ```
 */
export function pickExamples<Inputs>(
  data: AlignmentData<Inputs>,
  indices: readonly number[],
): AlignmentData<Inputs> {
  const op = "pickExamples";
  const wrong = indices.find((index) => !isCount(index) || index >= data.length);
  if (wrong !== undefined) {
    fail(op, `there is no example ${shown(wrong)}; there are ${data.length}, from 0`);
  }
  const picked = [...indices];
  const numberOf = (index: number): number => {
    const number = picked[index];
    return (
      number ?? fail(op, `there is no example ${shown(index)}; there are ${picked.length}, from 0`)
    );
  };
  return {
    length: picked.length,
    batch: (asked) => ({ ...data.batch(asked.map(numberOf)), indices: [...asked] }),
    ...(data.variables && {
      variables: (index: number) => data.variables?.(numberOf(index)) ?? [],
    }),
    ...(data.key && { key: (index: number) => data.key?.(numberOf(index)) ?? "" }),
  };
}
