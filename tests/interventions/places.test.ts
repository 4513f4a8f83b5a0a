import { expect, test } from "vitest";
import {
  AdditionIntervention,
  BackpackGPT2LMHeadModel,
  CollectIntervention,
  GPT2LMHeadModel,
  IntervenableModel,
  type InterventionLocations,
  Linear,
  LlamaForCausalLM,
  type ModelCard,
  Module,
  ModuleList,
  type RepresentationConfig,
  RotatedSpaceIntervention,
  Sequential,
  SigmoidMaskIntervention,
  type Tensor,
  tensor,
  type UnitLocations,
  type UnitPlace,
  VanillaIntervention,
  ZeroIntervention,
  type GPT2Component,
  type LlamaComponent,
  type OwnUnit,
  type Unit,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();
const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8]);
const source = ids([6, 2, 8, 3, 1, 8], [5, 7, 7, 2, 1, 5]);
const masked = (rows: number[][]) => ({
  ...base,
  attentionMask: tensor(rows, { dtype: "int64" }),
});

async function logitsOf(
  config: RepresentationConfig<GPT2Component>,
  unitLocations: UnitLocations,
  inputs: typeof base = base,
): Promise<unknown> {
  const { intervened } = new IntervenableModel(config, model).forward(inputs, { unitLocations });
  return intervened.logits.data();
}

const zero = { layer: 1, component: "mlp_output", intervention: ZeroIntervention } as const;

test('"last" is the last token that the mask counts', async () => {
  const padded = masked([
    [1, 1, 1, 1, 0, 0],
    [1, 1, 1, 1, 1, 1],
  ]);
  const byHand = { base: [[3], [5]] };
  const expected = await logitsOf(zero, byHand, padded);
  for (const written of ["last", ["last"], [["last"], ["last"]]] as const) {
    expect(await logitsOf(zero, { base: written }, padded)).toStrictEqual(expected);
  }
  expect(await logitsOf(zero, { base: "last" })).toStrictEqual(await logitsOf(zero, { base: 5 }));
});

test('"all" is every position, and every head', async () => {
  const every = [0, 1, 2, 3, 4, 5];
  expect(await logitsOf(zero, { base: "all" })).toStrictEqual(
    await logitsOf(zero, { base: every }),
  );
  const head = { ...zero, component: "head_value_output", unit: "h.pos" } as const;
  const rows = (row: number[]): number[][] => [row, row];
  const all = await logitsOf(head, { base: { head: rows([0, 1, 2, 3]), position: rows(every) } });
  expect(await logitsOf(head, { base: "all" })).toStrictEqual(all);
  expect(await logitsOf(head, { base: { head: "all", position: rows(every) } })).toStrictEqual(all);
  expect(await logitsOf(head, { base: { head: rows([2]), position: "all" } })).toStrictEqual(
    await logitsOf({ ...head, unit: "h" }, { base: rows([2]) }),
  );
  // A part of a fused projection stays a part.
  const query = { ...zero, component: "query_output" } as const;
  expect(await logitsOf(query, { base: "all" })).toStrictEqual(
    await logitsOf(query, { base: every }),
  );
});

test("the first axis of a model's own tensors cannot be taken whole, as its size is not known", () => {
  const own = { component: "transformer.h[1].attn.output", unit: "a.b" as OwnUnit } as const;
  const intervenable = new IntervenableModel({ ...own, intervention: ZeroIntervention }, model);
  expect(() =>
    intervenable.forward(base, { unitLocations: { base: { axes: ["all", 0] } } }),
  ).toThrow(/"all" is known for the last axis only/);
});

test("rows with different numbers of places are what they are one by one", async () => {
  const add = { layer: 1, component: "mlp_output", intervention: AdditionIntervention } as const;
  const places = [[4, 0, 2], [3], []] as const;
  const rows = [
    [3, 1, 4, 1, 5, 9],
    [2, 7, 1, 8, 2, 8],
    [5, 5, 5, 1, 1, 1],
  ];
  const others = rows.map((row) => row.map((id) => (id * 7) % 64));
  const intervenable = new IntervenableModel(add, model);
  const together = intervenable.forward(ids(...rows), {
    sources: ids(...others),
    unitLocations: { "sources->base": { source: [[0, 1, 5], [2], []], base: places } },
  }).intervened.logits;
  const alone = rows.map((row, r) => {
    const from = [[0, 1, 5], [2], []][r] ?? [];
    if (from.length === 0) return model.forward(ids(row)).logits;
    return intervenable.forward(ids(row), {
      sources: ids(others[r] ?? []),
      unitLocations: { "sources->base": { source: [from], base: [places[r] ?? []] } },
    }).intervened.logits;
  });
  for (const [r, logits] of alone.entries()) {
    const difference = together.slice(0, r, r + 1).sub(logits);
    expect(await difference.abs().amax().item()).toBeLessThan(1e-4);
  }
});

test("an intervention sees which units are units", async () => {
  const seen: unknown[] = [];
  class Watch extends ZeroIntervention {
    override forward(...given: Parameters<ZeroIntervention["forward"]>): Tensor {
      seen.push(given[2]?.unitMask?.toArray());
      return super.forward(...given);
    }
  }
  const own = { ...zero, intervention: Watch };
  await logitsOf(own, { base: [[4, 0], [3]] });
  await logitsOf(own, { base: [[4], [3]] });
  expect(await Promise.all(seen)).toStrictEqual([
    [
      [[true], [true]],
      [[true], [false]],
    ],
    undefined,
  ]);
});

test("collected rows with fewer places are filled up with zeros", async () => {
  const collect = { layer: 1, intervention: CollectIntervention };
  const intervenable = new IntervenableModel(collect, model);
  const [all] = intervenable.forward(base).collected;
  const [some] = intervenable.forward(base, {
    unitLocations: { base: [[4, 0], [3]] },
  }).collected;
  const full = (await all?.toArray()) as number[][][];
  const zeros = Array.from({ length: TINY.nEmbd }, () => 0);
  expect(await some?.toArray()).toStrictEqual([
    [full[0]?.[4], full[0]?.[0]],
    [full[1]?.[3], zeros],
  ]);
});

test("a source may be read at another layer, component, head and position", async () => {
  const there = new IntervenableModel(
    {
      layer: 2,
      component: "head_query_output",
      unit: "h.pos",
      source: { layer: 0, component: "head_attention_value_output" },
      intervention: VanillaIntervention,
    },
    model,
  );
  const { intervened } = there.forward(base, {
    sources: source,
    unitLocations: {
      "sources->base": {
        source: { head: [[3], [3]], position: [[1], [2]] },
        base: { head: [[0], [0]], position: [[4], [5]] },
      },
    },
  });
  const read = new IntervenableModel(
    {
      layer: 0,
      component: "head_attention_value_output",
      unit: "h.pos",
      intervention: CollectIntervention,
    },
    model,
  ).forward(source, {
    unitLocations: {
      base: { head: [[3], [3]], position: [[1], [2]] },
    },
  }).collected[0];
  const write = new IntervenableModel(
    {
      layer: 2,
      component: "head_query_output",
      unit: "h.pos",
      intervention: VanillaIntervention,
    },
    model,
  ).forward(base, {
    sourceRepresentations: read as Tensor,
    unitLocations: {
      base: { head: [[0], [0]], position: [[4], [5]] },
    },
  }).intervened;
  expect(await intervened.logits.data()).toStrictEqual(await write.logits.data());
  expect(await intervened.logits.data()).not.toStrictEqual(await model.forward(base).logits.data());
});

test("attention weights have heads, queries, keys, and single weights", async () => {
  const weights = { layer: 1, component: "attention_weight" } as const;
  const read = (unit: Unit, places: InterventionLocations): Tensor => {
    const config = { ...weights, unit, intervention: CollectIntervention };
    const unitLocations = { base: places };
    const [taken] = new IntervenableModel(config, model).forward(base, { unitLocations }).collected;
    return taken as Tensor;
  };
  const whole = (await read("h", "all").toArray()) as number[][][][];
  const twice = (row: number[]): number[][] => [row, row];
  const keys = read("h.key", { head: twice([2]), key: twice([1, 0]) });
  expect(await keys.toArray()).toStrictEqual(
    whole.map((heads) => [[1, 0].map((key) => heads[2]?.map((query) => query[key]))]),
  );
  const single = read("h.pos.key", { head: 3, position: [4, 5], key: [0, 2] });
  expect(await single.toArray()).toStrictEqual(
    whole.map((heads) => [[4, 5].map((query) => [0, 2].map((key) => heads[3]?.[query]?.[key]))]),
  );
  // Written and read again: what was one weight is zero, and the others are as they were.
  const both = new IntervenableModel(
    [
      { ...weights, unit: "h.pos.key", intervention: ZeroIntervention },
      { ...weights, unit: "h.key", intervention: ZeroIntervention },
      { ...weights, unit: "h", intervention: CollectIntervention },
    ],
    model,
  );
  const [after] = both.forward(base, {
    unitLocations: {
      base: {
        each: [
          { head: twice([3]), position: twice([4]), key: twice([2]) },
          { head: twice([0]), key: twice([1]) },
          "all",
        ],
      },
    },
  }).collected;
  expect(await after?.toArray()).toStrictEqual(
    whole.map((heads) =>
      heads.map((queries, h) =>
        queries.map((row, q) =>
          row.map((w, k) => ((h === 3 && q === 4 && k === 2) || (h === 0 && k === 1) ? 0 : w)),
        ),
      ),
    ),
  );
});

test("heads of keys are counted as they are, with the width that the settings say", async () => {
  const llama = new LlamaForCausalLM({
    hiddenSize: 16,
    intermediateSize: 24,
    numHiddenLayers: 2,
    numAttentionHeads: 4,
    numKeyValueHeads: 2,
    headDim: 6,
    vocabSize: 32,
  }).eval();
  const collect = (
    component: LlamaComponent,
    unit: Unit,
    places: InterventionLocations,
  ): readonly number[] => {
    const config = { layer: 1, component, unit, intervention: CollectIntervention };
    const unitLocations = { base: places };
    const short = ids([1, 2, 3]);
    const { collected } = new IntervenableModel(config, llama).forward(short, { unitLocations });
    return collected[0]?.shape ?? [];
  };
  expect(collect("head_query_output", "h.pos", { head: 3, position: [0, 1] })).toStrictEqual([
    1, 1, 2, 6,
  ]);
  expect(collect("head_key_output", "h.pos", { head: 1, position: 0 })).toStrictEqual([1, 1, 1, 6]);
  expect(() => collect("head_key_output", "h.pos", { head: 2, position: 0 })).toThrow(
    /there are 2/,
  );
  expect(collect("key_output", "pos", [[0]])).toStrictEqual([1, 1, 12]);

  // All of the 24 numbers are swapped, and not only the first 16.
  const swap = new IntervenableModel({ layer: 1, component: "query_output" }, llama);
  const [one, two] = [ids([1, 2, 3]), ids([9, 8, 7])];
  const written = new IntervenableModel(
    [
      { layer: 1, component: "query_output", intervention: VanillaIntervention },
      { layer: 1, component: "query_output", intervention: CollectIntervention },
    ],
    llama,
  ).forward(one, { sources: two, unitLocations: { "sources->base": 1 } }).collected[0];
  const [read] = new IntervenableModel(
    { layer: 1, component: "query_output", intervention: CollectIntervention },
    llama,
  ).forward(two, { unitLocations: { base: 1 } }).collected;
  expect(swap.interventions.get(swap.names[0] ?? "").embedDim).toBe(24);
  expect(await written?.data()).toStrictEqual(await read?.data());
});

test("axes of other tensors are named", async () => {
  const backpack = new BackpackGPT2LMHeadModel({
    nLayer: 1,
    nEmbd: 8,
    nHead: 2,
    vocabSize: 16,
    nPositions: 8,
    numSenses: 4,
  }).eval();
  const sense = { component: "sense_network_output", unit: "sense.pos" as OwnUnit } as const;
  const collect = new IntervenableModel({ ...sense, intervention: CollectIntervention }, backpack);
  const [taken] = collect.forward(ids([1, 2, 3]), {
    unitLocations: { base: { axes: [[0, 3], 1] } },
  }).collected;
  expect(taken?.shape).toStrictEqual([1, 2, 1, 8]);
});

class Tower extends Module {
  readonly first = new Linear(4, 6);
  readonly rest = new Sequential(new Linear(6, 2));
  override forward(x: Tensor): Tensor {
    return this.rest.forward(this.first.forward(x));
  }
}

test("widths of module paths come from the module, the card, or the configuration", () => {
  const widthAt = (component: string, more: RepresentationConfig = {}, of: Module = model) => {
    const config = { component, intervention: RotatedSpaceIntervention, ...more };
    const intervenable = new IntervenableModel<Module>(config, of);
    return intervenable.interventions.get(intervenable.names[0] ?? "").embedDim;
  };
  const tower = new Tower();
  expect(widthAt("first.output", {}, tower)).toBe(6);
  expect(widthAt("first.input", { maxNumberOfUnits: 2 }, tower)).toBe(8);
  expect(
    widthAt("rest.output", { intervention: RotatedSpaceIntervention.with({ embedDim: 2 }) }, tower),
  ).toBe(2);
  expect(() => widthAt("rest.output", {}, tower)).toThrow(/rest\.output is; .*embedDim/);
  expect(widthAt("transformer.h[0].output")).toBe(24);
  expect(widthAt("transformer.h[0].attn.c_attn.output")).toBe(72);
  expect(widthAt("transformer.h[0].mlp.c_proj.input")).toBe(96);
  expect(widthAt("transformer.wte.output")).toBe(24);
  expect(widthAt("transformer.ln_f.input")).toBe(24);
  const five = { intervention: RotatedSpaceIntervention.with({ embedDim: 5 }) };
  expect(() => widthAt("first.output", five, tower)).toThrow(/embedDim 5 is not the width/);
});

const rotated = { layer: 1, maxNumberOfUnits: 2, intervention: RotatedSpaceIntervention };

test.each<readonly [string, RepresentationConfig<GPT2Component>, UnitLocations, RegExp]>([
  [
    "unit counts that do not match a trained intervention",
    rotated,
    { "sources->base": [0, 1, 2] },
    /made for vectors of 48, but 3 units of 24 make 72; set maxNumberOfUnits to 3/,
  ],
  [
    "rows of different counts for a trained intervention",
    rotated,
    { "sources->base": [[0, 1], [2]] },
    /rows have 2, 1 of them; give all rows as many/,
  ],
  [
    "a position that is padding",
    { ...rotated, maxNumberOfUnits: 1 },
    { "sources->base": { source: 0, base: 5 } },
    /row 0: position 5 is padding, which attentionMask leaves out/,
  ],
  [
    "a negative position that is padding",
    { ...rotated, maxNumberOfUnits: 1 },
    { "sources->base": { source: 0, base: -1 } },
    /position -1 is padding/,
  ],
])("%s: an error before anything is run", (_, config, unitLocations, message) => {
  const intervenable = new IntervenableModel(config, model);
  const padded = masked([
    [1, 1, 1, 1, 0, 0],
    [1, 1, 1, 1, 1, 1],
  ]);
  expect(() => intervenable.forward(padded, { sources: source, unitLocations })).toThrow(message);
});

test("an intervention that keeps units apart takes rows of different counts", async () => {
  const localist = { layer: 1, intervention: SigmoidMaskIntervention };
  const intervenable = new IntervenableModel(localist, model);
  const { intervened } = intervenable.forward(base, {
    sources: source,
    unitLocations: { "sources->base": [[0, 1], [2]] },
  });
  expect(intervened.logits.shape).toStrictEqual([2, 6, 64]);
});

test("a mask that is not computed yet cannot say what is last", () => {
  const inputs = { ...base, attentionMask: base.inputIds.ge(0).to("int64") };
  const intervenable = new IntervenableModel(zero, model);
  expect(() => intervenable.forward(inputs, { unitLocations: { base: "last" } })).toThrow(
    /"last" needs the values of attentionMask; evaluate it first/,
  );
});

test("rows that are padded while no mask says so have no last token", () => {
  const padding = new GPT2LMHeadModel({ ...TINY, padTokenId: 0 }).eval();
  const at = (place: UnitPlace, inputs: object): unknown =>
    new IntervenableModel(zero, padding).forward(inputs, {
      unitLocations: { base: place },
    });
  const right = ids([3, 1, 4], [2, 7, 0]);
  const left = ids([3, 1, 4], [0, 2, 7]);
  expect(() => at("last", right)).toThrow(
    /base: row 1 ends in padding \(token 0\), but there is no attentionMask, so that "last"/,
  );
  expect(() => at(-1, right)).toThrow(/so that position -1 is not the same in all rows/);
  expect(() => at("last", left)).toThrow(/row 1 begins in padding/);
  const attentionMask = tensor([[1, 1, 1], [1, 1, 0]], { dtype: "int64" }); // prettier-ignore
  at("last", { ...right, attentionMask });
  at(1, right);
  at("last", ids([3, 1, 4], [2, 7, 5]));
});

class Experts extends Module {
  static readonly card: ModelCard<object, "expert_output" | "first_output"> = {
    layers: () => 2,
    components: {
      expert_output: {
        path: "layers.{layer}.{expert}",
        side: "output",
        dimension: () => 4,
      },
      first_output: { path: "layers.{layer}.0", side: "output", dimension: () => 4 },
    },
  };
  readonly config = {};
  readonly layers = new ModuleList(
    [0, 1].map(() => new ModuleList([0, 1, 2].map(() => new Linear(4, 4)))),
  );
  override forward(x: Tensor): Tensor {
    return [...this.layers].reduce(
      (y, experts) => [...experts].reduce((sum, expert) => sum.add(expert.forward(y)), y),
      x,
    );
  }
}

test("moeKey is the number of the expert", async () => {
  const experts = new Experts();
  const x = tensor([[[1, 2, 3, 4]]]);
  const collect = (config: RepresentationConfig): Tensor =>
    new IntervenableModel({ ...config, intervention: CollectIntervention }, experts).forward(x)
      .collected[0] as Tensor;
  const named = collect({ layer: 1, component: "expert_output", moeKey: 2 });
  const byPath = collect({ component: "layers[1][2].output" });
  expect(await named.data()).toStrictEqual(await byPath.data());
  expect(() => collect({ layer: 1, component: "expert_output" })).toThrow(/give moeKey/);
  expect(() => collect({ component: "first_output", moeKey: 1 })).toThrow(/leave out moeKey/);
  expect(() => collect({ component: "expert_output", moeKey: 3 })).toThrow(/has no "3"/);
});

test("a whole tensor is not one of the units that an intervention was made for", () => {
  const whole = new IntervenableModel({ ...rotated, maxNumberOfUnits: 1 }, model);
  expect(() => whole.forward(base, { sources: source })).toThrow(
    /made for vectors of 24, but units of \[2, 6, 24\] make vectors of 144; give unitLocations/,
  );
});
