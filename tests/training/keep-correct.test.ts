import { expect, test } from "vitest";
import {
  AutoTokenizer,
  GPT2LMHeadModel,
  keepCorrect,
  pickExamples,
  type PromptExample,
  promptPairs,
  type PromptPairsOptions,
} from "tsvene";

const model = await GPT2LMHeadModel.fromPretrained("tsvene-mini");
const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
const ask = (country: string): string => `The capital of ${country} is`;
const askLonger = (country: string): string => `What is the capital of ${country}? It is`;

const right: PromptExample = {
  base: ask("Spain"),
  sources: { country: ask("Italy") },
  label: " Rome",
  baseLabel: " Madrid",
  sourceLabels: { country: " Rome" },
};
const examples: readonly PromptExample[] = [
  right,
  { ...right, baseLabel: " Paris" },
  { ...right, base: askLonger("Spain") },
  { ...right, sourceLabels: { country: " Paris" } },
  { base: ask("Spain"), sources: {}, label: " Madrid", baseLabel: " Madrid" },
];

test.each(["left", "right"] as const)(
  "keeps what is right on base and sources, padded on the %s",
  async (paddingSide) => {
    const options: PromptPairsOptions = { positions: "last", paddingSide };
    const all = promptPairs(tokenizer, examples, options);
    for (const batchSize of [2, 64]) {
      const { data, kept, of, indices } = await keepCorrect(model, all, { batchSize });
      expect(indices).toEqual([0, 2, 4]);
      expect([kept, of, data.length]).toEqual([3, 5, 3]);
      const [batch, same] = [data.batch([1]), all.batch([2])];
      expect(batch.indices).toEqual([1]);
      expect(await batch.base.inputIds.toArray()).toEqual(await same.base.inputIds.toArray());
      expect(data.key?.(1)).toBe(all.key?.(2));
      expect(data.variables?.(2)).toEqual([]);
    }
  },
);

test("says what is missing, and where nothing is left", async () => {
  const of = (example: object): Promise<unknown> => {
    const list = [{ ...right, ...example }];
    return keepCorrect(model, promptPairs(tokenizer, list, { positions: "last" }));
  };
  const { baseLabel, sourceLabels, ...bare } = right;
  expect([baseLabel, sourceLabels]).not.toContain(undefined);
  const unlabelled = promptPairs(tokenizer, [bare], { positions: "last" });
  await expect(keepCorrect(model, unlabelled)).rejects.toThrow(/the data has no baseLabels/);
  const half = promptPairs(tokenizer, [{ ...bare, baseLabel: " Madrid" }], { positions: "last" });
  await expect(keepCorrect(model, half)).rejects.toThrow(/no sourceLabels of country/);
  await expect(of({ baseLabel: " Paris" })).rejects.toThrow(/in none of 1 examples/);
  expect(() => pickExamples(unlabelled, [1])).toThrow(/there is no example 1; there are 1/);
  expect(() => pickExamples(unlabelled, [0]).batch([1])).toThrow(/there is no example 1/);
});
