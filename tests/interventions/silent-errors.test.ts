import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  AdditionIntervention,
  CollectIntervention,
  findPositions,
  full,
  GPT2LMHeadModel,
  grad,
  IntervenableConfig,
  IntervenableModel,
  JumpReLUAutoencoderIntervention,
  Linear,
  LlamaForCausalLM,
  LowRankRotatedSpaceIntervention,
  Module,
  NoiseIntervention,
  PreTrainedTokenizer,
  RotatedSpaceIntervention,
  type Tensor,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
  zeros,
  type RepresentationConfig,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "./tiny-gpt2.ts";

// Ways in which libraries for interventions are known to be wrong without saying so, in turn. Each
// test is named after one.

const model = tinyGpt2();
const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8]);
const source = ids([6, 2, 8, 3, 1, 8], [5, 7, 7, 2, 1, 5]);

const writing = { maxNewTokens: 5, eosTokenId: null } as const;

test("1. position index means something else in a decode step", async () => {
  const zero = new IntervenableModel(
    { layer: 1, component: "mlp_output", intervention: ZeroIntervention },
    model,
  );
  // Position 7 is the second new token, read in step 2: alone in its pass with a cache, at place 7
  // of the pass without one, and at place 7 of a forward pass over the whole text.
  const unitLocations = { base: 7 };
  const [cached, uncached] = await Promise.all(
    [true, false].map(async (useCache) => {
      const options = { ...writing, outputLogits: true, unitLocations, useCache };
      return (await zero.generate(base, options)).intervened;
    }),
  );
  const text = cached?.sequences as Tensor;
  expect(await uncached?.sequences.toArray()).toStrictEqual(await text.toArray());
  const read = { inputIds: text.slice(1, 0, 10) };
  const { intervened } = zero.forward(read, { unitLocations });
  for (const { logits = [] } of [cached, uncached].flatMap((output) => output ?? [])) {
    for (const [step, at] of [5, 6, 7, 8, 9].entries()) {
      const whole = (step < 2 ? model.forward(read) : intervened).logits.select(1, at);
      const gap = await whole
        .sub(logits[step] as Tensor)
        .abs()
        .amax()
        .item();
      expect(gap).toBeLessThan(1e-4);
    }
  }
  // What no decode step reads is an error, and so is a place in the prompt, which is read before.
  for (const [place, message] of [
    [10, /never read position 10/],
    [2, /position 2 is in the prompt/],
  ] as const) {
    // prettier-ignore
    const never = { ...writing, unitLocations: { base: place } };
    await expect(zero.generate(base, never)).rejects.toThrow(message);
  }
});

test("2. KV cache written un-steered then reused", async () => {
  const steered = new IntervenableModel(
    { layer: 0, component: "block_output", intervention: AdditionIntervention },
    model,
  );
  const options = {
    ...writing,
    steps: "all",
    sourceRepresentations: tensor(Array.from({ length: TINY.nEmbd }, (_, i) => 9 * ((i % 3) - 1))),
  } as const;
  const textOf = async (written: Promise<{ readonly sequences: Tensor }>): Promise<unknown> =>
    (await written).sequences.toArray();
  const write = (useCache: boolean): Promise<unknown> =>
    textOf(steered.generate(base, { ...options, useCache }).then(({ intervened }) => intervened));
  const [plain, uncached] = [await textOf(model.generate(base, writing)), await write(false)];
  expect(uncached).not.toStrictEqual(plain);
  // One after the other, in both orders, and at the same time.
  expect(await write(true)).toStrictEqual(uncached);
  expect(await textOf(model.generate(base, writing))).toStrictEqual(plain);
  const both = [write(true), textOf(model.generate(base, writing)), write(true)];
  expect(await Promise.all(both)).toStrictEqual([uncached, plain, uncached]);
});

test("3. multi-position gather flattened wrongly: several positions collected for one unit are whole vectors", async () => {
  const collect = new IntervenableModel(
    { layer: 1, maxNumberOfUnits: 1, intervention: CollectIntervention },
    model,
  );
  const [all] = collect.forward(base).collected;
  const [some] = collect.forward(base, { unitLocations: { base: [4, 0, 2] } }).collected;
  const rows = (await all?.toArray()) as number[][][];
  expect(await some?.toArray()).toStrictEqual(rows.map((row) => [row[4], row[0], row[2]]));
});

test("4. patch applied to a copy, no effect: a patch takes effect on all that comes after", async () => {
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
    // The state after layer 1 and all later ones.
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
])(
  "5. name means raw module output here, residual contribution there: outputs are what is added, in %s",
  async (_, any) => {
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
  },
);

test("6. pads attended: padding is neither edited nor read by position", () => {
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
    swap.forward(base, { sources: padded, unitLocations: { "sources->base": 5 } }),
  ).toThrow(/source, row 0: position 5 is padding/);
});

test("6. BOS added twice or dropped", async () => {
  const json = await readFile("models/tsvene-mini/tokenizer.json", "utf8");
  const begins = {
    ...(JSON.parse(json) as object),
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "<|endoftext|>", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        "<|endoftext|>": { id: "<|endoftext|>", ids: [1765], tokens: ["<|endoftext|>"] },
      },
    },
  };
  const tokenizer = new PreTrainedTokenizer(begins, {
    bos_token: "<|endoftext|>",
    chat_template: "{{ bos_token }}{{ messages[0].content }}",
  });
  const bos = tokenizer.bosTokenId ?? NaN;
  const text = "The capital of Spain";
  const bare = tokenizer.encode(text, { addSpecialTokens: false });
  expect(bare).not.toContain(bos);
  expect(tokenizer.encode(text)).toStrictEqual([bos, ...bare]);
  const chat = tokenizer.applyChatTemplate([{ role: "user", content: text }]);
  expect(await chat.inputIds.toArray()).toStrictEqual([[bos, ...bare]]);
  // Positions count it where it is.
  const at = findPositions(tokenizer, text, "Spain");
  expect(tokenizer.decode(at.map((position) => [bos, ...bare][position] ?? 0)).trim()).toBe(
    "Spain",
  );
});

test("6. pads attended: a row is the same with padding as alone", async () => {
  const alone = ids([3, 1, 4, 1]);
  const padded = {
    inputIds: tensor([[0, 0, 3, 1, 4, 1], [2, 7, 1, 8, 2, 8]], { dtype: "int64" }), // prettier-ignore
    attentionMask: tensor([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]], { dtype: "int64" }), // prettier-ignore
    positionIds: tensor([[1, 1, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5]], { dtype: "int64" }), // prettier-ignore
  };
  const zero = new IntervenableModel({ layer: 1, intervention: ZeroIntervention }, model);
  const wanted = zero.forward(alone, { unitLocations: { base: 1 } }).intervened.logits;
  const { logits } = zero.forward(padded, { unitLocations: { base: [[3], [3]] } }).intervened;
  const gap = wanted
    .sub(logits.slice(0, 0, 1).slice(1, 2))
    .abs()
    .amax();
  expect(await gap.item()).toBeLessThan(1e-5);
});

test("7. clean/corrupt prompts of unequal token length are not lined up by chance", () => {
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

test("8. saved config lacks constructor arguments: what is printed has them all, and so has JSON", () => {
  const representation = {
    layer: 1,
    component: "mlp_output",
    maxNumberOfUnits: 2,
    source: { layer: 0 },
    groupKey: 3,
    interventionLinkKey: "basis",
    intervention: LowRankRotatedSpaceIntervention.with({
      lowRankDimension: 3,
      interchangeDim: [0, 2],
      subspacePartition: [[0], { from: 1, to: 3 }],
      keepLastDim: true,
    }),
  } as const;
  const config = new IntervenableConfig({ mode: "serial", representations: representation });
  const built = new IntervenableModel(config, model);
  const noise = new NoiseIntervention({ noiseLevel: 0.5, seed: 7 });
  const sae = { errorTerm: true, embedDim: 8, latentDim: 20 };
  const shown = [config, built, noise, new JumpReLUAutoencoderIntervention(sae)].map(String);
  for (const text of shown.slice(0, 2)) {
    expect(text).toContain("serial");
    expect(text).toMatch(/lowRankDimension=3.*/);
    expect(text).toContain("interchangeDim=[0,2]");
    expect(text).toContain('subspacePartition=[[0],{"from":1,"to":3}]');
    expect(text).toContain("keepLastDim=true");
  }
  expect(shown[0]).toMatch(/source={"layer":0}, groupKey=3, interventionLinkKey=basis/);
  expect(shown[2]).toBe("NoiseIntervention(noiseLevel=0.5, seed=7)");
  expect(shown[3]).toContain("errorTerm=true");
  expect(shown[3]).toContain("latentDim=20");
  const read = new IntervenableConfig(JSON.parse(JSON.stringify(config)) as RepresentationConfig);
  expect(String(read)).toBe(shown[0]);
  expect(String(new IntervenableModel(read, model))).toBe(shown[1]);
  expect(() => JSON.stringify(built)).toThrow(/JSON cannot say a model; say model.config/);
  // What a configuration is read back from is refused too, rather than read in part.
  expect(() => new IntervenableConfig(config.representations as never)).toThrow(
    /has no field options/,
  );
});

test("9. a point that cannot be served returns nothing: it is an error", () => {
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

test("10. gradients detached without saying so: they reach sources, parameters and the model through edits of all kinds", async () => {
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
    unitLocations: { base: { each: [[[1, 4], [2]], { head: [[1], [0]], position: [[5], [3]] }] } }, // prettier-ignore
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
    unitLocations: { "sources->base": { source: 2, base: 4 } },
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

test("10. gradients detached without saying so: what has been computed has none to give", async () => {
  const collect = new IntervenableModel({ layer: 1, intervention: CollectIntervention }, model);
  const [taken] = collect.forward(base).collected as readonly [Tensor];
  const weight = model.transformer.h.at(0).ln_1.weight.value;
  const loss = taken.square().sum();
  await taken.data();
  expect(() => grad(loss, [weight])).toThrow(/evaluated/);
});

test("11. half precision NaNs silently: checkpoints in halves are computed with in float32", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tsvene-halves-"));
  try {
    for (const dtype of ["float16", "bfloat16"] as const) {
      await model.savePretrained(directory, { dtype });
      const halves = await GPT2LMHeadModel.fromPretrained(directory);
      expect(new Set(halves.parameters().map((p) => p.dtype))).toStrictEqual(new Set(["float32"]));
      // More than float16 holds goes through.
      const large = new IntervenableModel(
        { layer: 0, component: "mlp_output", intervention: AdditionIntervention },
        halves,
      ).forward(base, { sourceRepresentations: full([TINY.nEmbd], 1e6) });
      expect(await large.intervened.logits.isnan().any().item()).toBe(0);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

class Doubling extends Module {
  override forward(x: Tensor): Tensor {
    return x.mul(2);
  }
}

class Halves extends Module {
  readonly doubling = new Doubling();
  override forward(x: Tensor): Tensor {
    return this.doubling.forward(x);
  }
}

test("11. half precision NaNs silently: what a half cannot hold is refused", async () => {
  const swap = new IntervenableModel({ component: "doubling.output" }, new Halves());
  const x = zeros([1, 2, 4]);
  const given = (value: number) => ({ sourceRepresentations: tensor([value, 0, 0, 0]) });
  const { intervened } = swap.forward(x.to("float16"), given(6e4));
  expect(intervened).toMatchObject({ dtype: "float16" });
  const rows = (await intervened.toArray()) as number[][][];
  expect(rows[0]?.map((row) => row[0])).toStrictEqual([6e4, 6e4]);
  expect(() => swap.forward(x.to("float16"), given(1e5))).toThrow(
    /a source of 100000 is more than float16 holds/,
  );
  expect(() => swap.forward(x.to("bfloat16"), given(1))).toThrow(/bfloat16/);
});

test("11. half precision NaNs silently: no text is written from what is not a number", async () => {
  const infinite = new IntervenableModel(
    { layer: 2, component: "mlp_output", intervention: AdditionIntervention },
    model,
  );
  const sourceRepresentations = full([TINY.nEmbd], Infinity);
  for (const more of [{}, { doSample: true }, { numBeams: 2 }, { repetitionPenalty: 1.2 }]) {
    const options = { ...writing, ...more, steps: "all", sourceRepresentations } as const;
    await expect(infinite.generate(base, options)).rejects.toThrow(/logits are not numbers/);
  }
});
