import { describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  CollectIntervention,
  GRULMHeadModel,
  IntervenableModel,
  manualSeed,
  randn,
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
