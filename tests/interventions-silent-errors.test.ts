import { expect, test } from "vitest";
import {
  AdditionIntervention,
  CollectIntervention,
  GPT2LMHeadModel,
  grad,
  IntervenableModel,
  LlamaForCausalLM,
  Module,
  Linear,
  RotatedSpaceIntervention,
  type Tensor,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
  zeros,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "./tiny-gpt2.ts";

// Ways in which libraries for interventions are known to be wrong without saying so.

const model = tinyGpt2();
const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8]);
const source = ids([6, 2, 8, 3, 1, 8], [5, 7, 7, 2, 1, 5]);

test("several positions collected for one unit are whole vectors, and not pieces of the first", async () => {
  const collect = new IntervenableModel(
    { layer: 1, maxNumberOfUnits: 1, intervention: CollectIntervention },
    model,
  );
  const [all] = collect.forward(base).collected;
  const [some] = collect.forward(base, { unitLocations: { base: [4, 0, 2] } }).collected;
  const rows = (await all?.toArray()) as number[][][];
  expect(await some?.toArray()).toStrictEqual(rows.map((row) => [row[4], row[0], row[2]]));
});

test("a patch takes effect on what comes after, and not on a copy", async () => {
  const patch = new IntervenableModel(
    { layer: 1, component: "attention_output", intervention: VanillaIntervention },
    model,
  );
  const plain = model.forward(base);
  const { intervened } = patch.forward(base, {
    sources: source,
    unitLocations: { "sources->base": 3 },
  });
  const changed = (a: Tensor, b: Tensor, position: number): Promise<number> =>
    a.sub(b).select(1, position).abs().amax().item();
  for (const [layer, state] of intervened.hiddenStates.entries()) {
    const before = plain.hiddenStates[layer] as Tensor;
    expect(await changed(state, before, 2)).toBeLessThan(1e-5);
    // The state behind layer 1 and all later ones.
    const [now, later] = [await changed(state, before, 3), await changed(state, before, 4)];
    if (layer >= 2) expect(now).toBeGreaterThan(1e-3);
    else expect(now).toBeLessThan(1e-5);
    if (layer >= 3) expect(later).toBeGreaterThan(1e-3);
  }
});

test.each([
  ["GPT-2", new GPT2LMHeadModel(TINY).eval()],
  [
    "Llama",
    new LlamaForCausalLM({
      hiddenSize: 16,
      intermediateSize: 24,
      numHiddenLayers: 2,
      numAttentionHeads: 4,
      numKeyValueHeads: 2,
      vocabSize: 64,
    }).eval(),
  ],
])("a name means the same in every family: outputs are what is added, in %s", async (_, any) => {
  const names = ["block_input", "attention_output", "mlp_output", "block_output"];
  const reading = new IntervenableModel<Module>(
    names.map((component) => ({ layer: 1, component, intervention: CollectIntervention })),
    any,
  );
  const [before, attention, mlp, after] = reading.forward(base).collected as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const sum = before.add(attention).add(mlp);
  expect(await sum.sub(after).abs().amax().item()).toBeLessThan(1e-5);
});

test("padding is neither edited nor read by position", () => {
  const padded = {
    ...base,
    attentionMask: tensor(
      [
        [1, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 1],
      ],
      { dtype: "int64" },
    ),
  };
  const zero = new IntervenableModel({ layer: 1, intervention: ZeroIntervention }, model);
  expect(() => zero.forward(padded, { unitLocations: { base: -1 } })).toThrow(
    /row 0: position -1 is padding/,
  );
  expect(() => zero.forward(padded, { unitLocations: { base: 0 } })).toThrow(
    /row 1: position 0 is padding/,
  );
  const swap = new IntervenableModel({ layer: 1 }, model);
  expect(() =>
    swap.forward(base, { sources: padded, unitLocations: { "sources->base": [5, 5] } }),
  ).toThrow(/source side, row 0: position 5 is padding/);
});

test("prompts of unequal length are not lined up by chance", () => {
  const swap = new IntervenableModel({ layer: 1 }, model);
  const short = ids([1, 2, 3], [4, 5, 6]);
  expect(() => swap.forward(base, { sources: short })).toThrow(
    /\[2, 3, 24\] does not fit a base of \[2, 6, 24\]/,
  );
  expect(() =>
    swap.forward(base, { sources: short, unitLocations: { "sources->base": 4 } }),
  ).toThrow(/position 4 is out of range: there are 3/);
});

class Branching extends Module {
  readonly used = new Linear(4, 4);
  readonly spare = new Linear(4, 4);
  override forward(x: Tensor): Tensor {
    return this.used.forward(x);
  }
}

test("a place that is not served is an error, and not nothing", () => {
  for (const intervention of [CollectIntervention, ZeroIntervention]) {
    const spare = new IntervenableModel(
      { component: "spare.output", intervention },
      new Branching(),
    );
    expect(() => spare.forward(zeros([1, 2, 4]))).toThrow(/never fires: spare passed no output/);
  }
  const elsewhere = new IntervenableModel(
    { component: "used.output", source: { component: "spare.output" } },
    new Branching(),
  );
  const x = zeros([1, 2, 4]);
  expect(() => elsewhere.forward(x, { sources: x })).toThrow(/spare passed no output/);
});

test("gradients reach sources, parameters and the model through edits of all kinds", async () => {
  const trained = tinyGpt2(3).train();
  const representation = tensor(
    Array.from({ length: TINY.nEmbd }, () => 0.1),
    { requiresGrad: true },
  );
  const { logits } = new IntervenableModel(
    [
      { layer: 0, component: "mlp_output", intervention: AdditionIntervention },
      { layer: 2, component: "head_query_output", unit: "h.pos", intervention: ZeroIntervention },
    ],
    trained,
  ).forward(base, {
    sourceRepresentations: [representation, null],
    unitLocations: { base: [[[1, 4], [2]], [[[1], [0]], [[5], [3]]]] }, // prettier-ignore
  }).intervened;
  const [ofSource, ofWeights] = grad(logits.square().mean(), [
    representation,
    trained.transformer.wte.weight.value,
  ]);
  for (const gradient of [ofSource, ofWeights]) {
    expect(await gradient?.abs().amax().item()).toBeGreaterThan(0);
  }

  const rotated = new IntervenableModel(
    { layer: 1, source: { layer: 0 }, intervention: RotatedSpaceIntervention },
    trained,
  );
  const out = rotated.forward(base, {
    sources: source,
    unitLocations: { "sources->base": [2, 4] },
    subspaces: [0, 1, 2],
  }).intervened.logits;
  const parameters = [
    ...rotated.trainableParameters(),
    trained.transformer.h.at(0).ln_1.weight,
  ].map(({ value }) => value);
  for (const gradient of grad(out.square().mean(), parameters)) {
    expect(await gradient.abs().amax().item()).toBeGreaterThan(0);
  }
});
