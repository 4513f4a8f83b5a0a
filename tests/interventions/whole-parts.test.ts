import { describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  cat,
  CollectIntervention,
  EditScope,
  GPT2LMHeadModel,
  GRULMHeadModel,
  IntervenableModel,
  manualSeed,
  randn,
  type Tensor,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { golden } from "../models/checkpoints.ts";

const IDS = [5, 7, 9, 11, 13, 2];
const inputs = { inputIds: tensor([IDS, IDS.toReversed()], { dtype: "int64" }) };
const positions = IDS.map((_, i) => i);

// Queries, keys and values are parts of one tensor in GPT-2, and tensors of their own in Llama.
describe.each(["gpt2", "llama"])("without locations, of %s", (name) => {
  const model = AutoModelForCausalLM.fromPretrained(golden(name));

  test.each(["query_output", "key_output", "value_output"] as const)(
    "%s is all of that part",
    async (component) => {
      const site = { layer: 1, component } as const;
      const collecting = new IntervenableModel(
        { ...site, intervention: CollectIntervention },
        await model,
      );
      const [whole] = collecting.forward(inputs).collected;
      const [listed] = collecting.forward(inputs, { unitLocations: { base: positions } }).collected;
      expect(await whole?.toArray()).toEqual(await listed?.toArray());
      const zeroing = new IntervenableModel(
        { ...site, intervention: ZeroIntervention },
        await model,
      );
      const one = zeroing.forward(inputs).intervened.logits;
      const other = zeroing.forward(inputs, { unitLocations: { base: positions } });
      expect(await one.toArray()).toEqual(await other.intervened.logits.toArray());
    },
  );

  test.each(["h", "h.pos"] as const)("heads are all heads, by %s", async (unit) => {
    const site = { layer: 1, component: "head_value_output", unit } as const;
    const swapping = new IntervenableModel(
      { ...site, intervention: VanillaIntervention },
      await model,
    );
    const sources = { inputIds: inputs.inputIds.flip([1]) };
    const heads = new IntervenableModel(
      { layer: 1, component: "value_output", intervention: VanillaIntervention },
      await model,
    );
    const unitLocations = { "sources->base": positions };
    const one = swapping.forward(inputs, { sources }).intervened.logits;
    const other = heads.forward(inputs, { sources, unitLocations }).intervened.logits;
    expect(await one.toArray()).toEqual(await other.toArray());
  });
});

test("a gate of a recurrent model is that gate at all steps", async () => {
  manualSeed(0);
  const model = new GRULMHeadModel({ vocabSize: 20, hDim: 4, nLayer: 1 }).eval();
  const embedded = { inputsEmbeds: randn([2, IDS.length, 4]) };
  const zeroing = new IntervenableModel(
    { layer: 0, component: "new_x2h_output", unit: "t", intervention: ZeroIntervention },
    model,
  );
  const one = zeroing.forward(embedded).intervened.logits;
  const other = zeroing.forward(embedded, { unitLocations: { base: positions } }).intervened.logits;
  expect(await one.toArray()).toEqual(await other.toArray());
  expect(await one.toArray()).not.toEqual(await model.forward(embedded).logits.toArray());
});

describe("parts of a tensor, by hand", () => {
  manualSeed(1);
  const own = { eosTokenId: null, bosTokenId: null, initializerRange: 0.5 };
  const sizes = { nLayer: 2, nEmbd: 8, nHead: 2, vocabSize: 20 };
  const model = new GPT2LMHeadModel({ ...sizes, ...own }).eval();
  const { c_attn } = model.transformer.h.at(0).attn;
  const [base, other] = [
    { inputIds: tensor([[1, 2, 3, 4]], { dtype: "int64" }) },
    { inputIds: tensor([[5, 6, 7, 8]], { dtype: "int64" }) },
  ] as const;
  interface Ids {
    readonly inputIds: Tensor;
  }
  const partOf = (t: Tensor, i: number): Tensor => t.slice(-1, 8 * i, 8 * i + 8);
  const projected = (inputs: Ids): Tensor => {
    let found: Tensor | undefined;
    new EditScope().on(c_attn, "output", (t) => void (found = t)).run(() => model.forward(inputs));
    return found as Tensor;
  };
  const withValues = (of: (own: Tensor) => Tensor, inputs = base): Tensor =>
    new EditScope()
      .on(c_attn, "output", (t) => cat([partOf(t, 0), partOf(t, 1), of(partOf(t, 2))], -1))
      .run(() => model.forward(inputs)).logits;
  const expectSame = async (a: Tensor, b: Tensor): Promise<void> => {
    expect(await a.sub(b).abs().max().item()).toBeLessThan(1e-6);
  };
  const swap = { intervention: VanillaIntervention };
  const values = { component: "value_output", ...swap } as const;
  const heads = { component: "head_value_output", ...swap } as const;

  test("a source of another part, or of a whole tensor, is read as what it is", async () => {
    const key = partOf(projected(other), 1);
    const crossed = new IntervenableModel(
      { ...values, source: { component: "key_output" } },
      model,
    );
    const { intervened } = crossed.forward(base, { sources: other });
    await expectSame(
      intervened.logits,
      withValues(() => key),
    );
    const tooWide = new IntervenableModel(
      { ...values, source: { component: "mlp_activation" } },
      model,
    );
    expect(() => tooWide.forward(base, { sources: other })).toThrow(/\[1, 4, 32\] does not fit/);
  });

  test("tensors are given for heads apart, and for a part whole", async () => {
    const given = randn([1, 4, 8]);
    const whole = new IntervenableModel(values, model).forward(base, {
      sourceRepresentations: given,
    });
    await expectSame(
      whole.intervened.logits,
      withValues(() => given),
    );
    const apart = given.reshape([1, 4, 2, 4]).permute([0, 2, 1, 3]);
    const byHeads = new IntervenableModel({ ...heads, unit: "h.pos" }, model);
    const { intervened } = byHeads.forward(base, { sourceRepresentations: apart });
    await expectSame(
      intervened.logits,
      withValues(() => given),
    );
    expect(() => byHeads.forward(base, { sourceRepresentations: given })).toThrow(/does not fit/);
  });

  test("dimensions are counted within a part, and within a head", async () => {
    const theirs = partOf(projected(other), 2);
    const few = new IntervenableModel(values, model).forward(base, {
      sources: other,
      subspaces: [2, 3],
    });
    const mixed = (t: Tensor, from: number, to: number): Tensor =>
      cat([t.slice(-1, 0, from), theirs.slice(-1, from, to), t.slice(-1, to, 8)], -1);
    await expectSame(
      few.intervened.logits,
      withValues((t) => mixed(t, 2, 4)),
    );
    const head = new IntervenableModel({ ...heads, unit: "h" }, model).forward(base, {
      sources: other,
      subspaces: [0],
      unitLocations: { "sources->base": 1 },
    });
    await expectSame(
      head.intervened.logits,
      withValues((t) => mixed(t, 4, 5)),
    );
  });

  test("a text is written with a head's values as 0, with and without a cache", async () => {
    const ids = [1, 2, 3, 4];
    for (let i = 0; i < 3; i++) {
      const inputs = { inputIds: tensor([ids], { dtype: "int64" }) };
      const zeroed = withValues((t) => cat([t.slice(-1, 0, 4), t.slice(-1, 4).mul(0)], -1), inputs);
      ids.push(await zeroed.select(1, -1).argmax(-1).item());
    }
    const zero = { component: "head_value_output", unit: "h", intervention: ZeroIntervention } as const; // prettier-ignore
    for (const useCache of [true, false]) {
      const options = { maxNewTokens: 3, steps: "all", useCache, unitLocations: { base: 1 } } as const; // prettier-ignore
      const { intervened } = await new IntervenableModel(zero, model).generate(base, options);
      expect(await intervened.sequences.toArray()).toEqual([ids]);
    }
  });
});

test("heads that groups share are counted by themselves", async () => {
  const llama = await AutoModelForCausalLM.fromPretrained(golden("llama"));
  const component = "head_value_output";
  const reader = new IntervenableModel(
    { layer: 0, component: "value_output", intervention: CollectIntervention },
    llama,
  );
  const sources = { inputIds: inputs.inputIds.flip([1]) };
  const [[mine], [theirs]] = [inputs, sources].map((given) => reader.forward(given).collected) as [
    Tensor[],
    Tensor[],
  ];
  const wanted = cat([(mine as Tensor).slice(-1, 0, 8), (theirs as Tensor).slice(-1, 8)], -1);
  const swapping = new IntervenableModel(
    { layer: 0, component, unit: "h", intervention: VanillaIntervention },
    llama,
  );
  const { intervened } = swapping.forward(inputs, {
    sources,
    unitLocations: { "sources->base": 1 },
  });
  const putting = new IntervenableModel(
    { layer: 0, component: "value_output", intervention: VanillaIntervention },
    llama,
  );
  const put = putting.forward(inputs, { sourceRepresentations: wanted });
  const apart = intervened.logits.sub(put.intervened.logits);
  expect(await apart.abs().max().item()).toBeLessThan(1e-6);
  const beyond = { sources, unitLocations: { "sources->base": 2 } };
  expect(() => swapping.forward(inputs, beyond)).toThrow(/head 2 is out of range: there are 2/);
});
