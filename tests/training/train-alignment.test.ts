import { expect, test, vi } from "vitest";
import {
  type AlignmentBatch,
  type AlignmentData,
  BoundlessRotatedSpaceIntervention,
  evalAlignment,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  resetStats,
  runtimeStats,
  stack,
  tensor,
  type Tensor,
  trainAlignment,
  type TrainingMoment,
  VanillaIntervention,
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
  // What is frozen is a program too.
  expect(runtimeStats().programsCompiled).toBeLessThanOrEqual(3);
  expect([steps, stopped]).toEqual([20, "end"]);
  expect(history.at(-1)?.loss).toBeLessThan(history[1]?.loss ?? 0);
});

test("weight decay leaves directions orthonormal, unless it is said", async () => {
  const said = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const sizes: number[] = [];
  for (const optimizer of ["adamw", { name: "adamw", weightDecay: 0.1 }] as const) {
    const aligned = lowRank();
    await trainAlignment(aligned, lastToken, { steps: 2, optimizer, progress: false });
    const { rotate_layer: layer } = aligned.interventions.get(
      "token",
    ) as LowRankRotatedSpaceIntervention;
    sizes.push(await layer.weight.square().sum().item());
  }
  expect(sizes).toEqual([expect.closeTo(8, 4), 0]);
  expect(String(said.mock.calls)).toMatch(/8 of 8 directions are zero/);
  said.mockRestore();
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

const quick = { batchSize: 16, steps: 2, progress: false } as const;

test("the model is trained with interventions that stay, gradients through the source as well", async () => {
  const model = tinyGpt2();
  const half = VanillaIntervention.with({ interchangeDim: 12 });
  const aligned = new IntervenableModel({ layer: 1, intervention: half, name: "token" }, model);
  const before = await Promise.all(model.parameters().map(({ value }) => value.data()));
  const data = { ...lastToken, batch: withBaseLabels };
  const { history } = await trainAlignment(aligned, data, {
    ...quick,
    steps: 6,
    parameters: "model",
    factual: 1,
    warmUp: 0,
    lr: 1e-2,
  });
  expect(history.at(-1)?.loss).toBeLessThan(history[0]?.loss ?? 0);
  const after = await Promise.all(model.parameters().map(({ value }) => value.data()));
  expect(
    after.filter((values, i) => values !== before[i] && differ(values, before[i])),
  ).not.toEqual([]);
  const alone = await trainAlignment(aligned, data, { ...quick, parameters: "model", lr: 0 });
  const both = await trainAlignment(aligned, data, {
    ...quick,
    parameters: "model",
    factual: 1,
    lr: 0,
  });
  expect(both.history[0]?.loss).toBeGreaterThan((alone.history[0]?.loss ?? 0) + 0.1);
});

function withBaseLabels(indices: readonly number[]): AlignmentBatch {
  const batch = lastToken.batch(indices);
  return { ...batch, baseLabels: tensor([...indices], { dtype: "int64" }) };
}

function differ(a: ArrayLike<unknown>, b: ArrayLike<unknown> | undefined): boolean {
  return Array.from(a).some((value, i) => value !== b?.[i]);
}

test("batches may be drawn afresh, and the model stays as it is to the bit", async () => {
  const aligned = lowRank();
  const before = await Promise.all(aligned.model.parameters().map(({ value }) => value.data()));
  const seen: number[][] = [];
  const draw = ({ generator }: TrainingMoment): AlignmentBatch => {
    const indices = [generator.integer(LENGTH), generator.integer(LENGTH)];
    seen.push(indices);
    return lastToken.batch(indices);
  };
  const { steps } = await trainAlignment(aligned, draw, { steps: 3, progress: false });
  expect(steps).toBe(3);
  expect(new Set(seen.map(String)).size).toBeGreaterThan(2);
  const after = await Promise.all(aligned.model.parameters().map(({ value }) => value.data()));
  expect(after).toStrictEqual(before);
});

test("evaluations take masks as decided, as evalAlignment does", async () => {
  const intervention = new BoundlessRotatedSpaceIntervention({ embedDim: 24 });
  const aligned = new IntervenableModel({ layer: 3, intervention, name: "token" }, tinyGpt2());
  const { evaluations } = await trainAlignment(aligned, lastToken, {
    ...quick,
    temperature: 50,
    evaluate: { data: lastToken },
  });
  const { iia } = await evalAlignment(aligned, lastToken, { randomDraws: 0, otherSite: false });
  expect(evaluations.at(-1)?.metrics["accuracy"]).toBeCloseTo(iia, 6);
});

test("label positions may differ from row to row", async () => {
  const aligned = lowRank();
  const places = [1, 3, 2, 3];
  const data: AlignmentData = {
    length: places.length,
    batch: (indices) => ({
      ...lastToken.batch(indices),
      unitLocations: { "sources->base": 0 },
      labelPositions: indices.map((i) => places[i] ?? 0),
    }),
  };
  const options = { steps: 1, shuffle: false, progress: false } as const;
  const seen: Tensor[] = [];
  await trainAlignment(aligned, data, {
    ...options,
    metric: ({ logits, output }) => {
      const all = (output as { readonly logits: Tensor }).logits;
      seen.push(logits);
      const own = places.map((place, row) => all.select(0, row).select(0, place));
      return { far: stack(own).sub(logits).abs().amax() };
    },
  }).then(({ history }) => expect(history[0]?.metrics).toEqual({ far: 0 }));
  expect(seen[0]?.shape).toEqual([places.length, TINY.vocabSize]);
});
