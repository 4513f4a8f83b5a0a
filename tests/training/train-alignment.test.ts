import { expect, test } from "vitest";
import {
  type AlignmentData,
  BoundlessRotatedSpaceIntervention,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  resetStats,
  runtimeStats,
  tensor,
  trainAlignment,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "../interventions/tiny-gpt2.ts";

const LENGTH = 32;

/** Rows of four tokens, of which the last one is to be swapped; the label is the source's. */
const lastToken: AlignmentData<ReturnType<typeof ids>> = {
  length: LENGTH,
  batch: (indices) => {
    const sources = indices.map((i) => [1, 2, 3, (i * 5) % TINY.vocabSize]);
    return {
      indices,
      base: ids(...indices.map((i) => [i % TINY.vocabSize, 3, 4, 7])),
      sources: { token: ids(...sources) },
      unitLocations: { "sources->base": 3 },
      labels: tensor(
        sources.map((row) => row.at(-1) ?? 0),
        { dtype: "int64" },
      ),
    };
  },
};

function lowRank(): IntervenableModel {
  const intervention = LowRankRotatedSpaceIntervention.with({ lowRankDimension: 8 });
  return new IntervenableModel({ layer: 0, intervention, name: "token" }, tinyGpt2());
}

test("an alignment learns, and a step is one program", async () => {
  const aligned = lowRank();
  resetStats();
  const { history, steps, stopped } = await trainAlignment(aligned, lastToken, {
    epochs: 10,
    batchSize: 16,
    lr: 5e-2,
    progress: false,
  });
  expect(runtimeStats().programsCompiled).toBeLessThanOrEqual(2);
  expect([steps, stopped]).toEqual([20, "end"]);
  expect(history.at(-1)?.loss).toBeLessThan(history[1]?.loss ?? 0);
});

test("the same seed gives the same numbers to the bit, another one others", async () => {
  const losses = async (seed: number): Promise<readonly number[]> => {
    const intervention = new BoundlessRotatedSpaceIntervention({ embedDim: 24 });
    const aligned = new IntervenableModel({ layer: 0, intervention, name: "token" }, tinyGpt2());
    const options = { epochs: 2, batchSize: 8, seed, progress: false } as const;
    intervention.loadStateDict(START);
    const { history } = await trainAlignment(aligned, lastToken, options);
    return history.map(({ loss }) => loss);
  };
  const START = new BoundlessRotatedSpaceIntervention({ embedDim: 24 }).stateDict();
  const first = await losses(1);
  expect(await losses(1)).toEqual(first);
  expect(await losses(2)).not.toEqual(first);
});
