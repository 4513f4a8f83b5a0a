import {
  AutoModelForCausalLM,
  CollectIntervention,
  evaluate,
  type ForwardOptions,
  functional,
  grad,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  type Module,
  type RepresentationConfig,
  resetStats,
  runtimeStats,
  type Tensor,
  tensor,
  type UnitLocations,
  VanillaIntervention,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { golden } from "../models/checkpoints.ts";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

type Options = ForwardOptions<unknown>;

interface Output {
  readonly logits: Tensor;
  readonly hiddenStates: readonly Tensor[];
  readonly attentions: readonly Tensor[];
}

const BASE = ids([5, 7, 9, 11, 13, 2], [1, 2, 3, 4, 44, 9]);
const SOURCE = ids([8, 3, 1, 0, 12, 30], [7, 7, 21, 6, 5, 4]);
const direction = LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 });

async function distance(a: Tensor, b: Tensor): Promise<number> {
  expect(a.shape).toEqual(b.shape);
  return a.sub(b).abs().amax().item();
}

/** The same call with the text read in one and in two. */
function both(aligned: IntervenableModel, base: unknown, options: Options): [Output, Output] {
  const run = (reusePrefix: boolean): Output =>
    aligned.forward(base, { ...options, reusePrefix }).intervened as Output;
  return [run(false), run(true)];
}

/** Whether the call reads the text in two, as its products tell: fewer at the upper layers. */
async function expectSame(
  model: Module,
  config: RepresentationConfig | readonly RepresentationConfig[],
  options: Options,
  base: unknown = BASE,
): Promise<void> {
  const aligned = new IntervenableModel(config, model);
  const [one, two] = both(aligned, base, { sources: SOURCE, ...options });
  await evaluate(one.logits, two.logits);
  expect(await distance(one.logits, two.logits)).toBeLessThan(2e-5);
}

const FAMILIES =
  "llama mistral mixtral gemma2 gemma3_text qwen3_moe phi gpt_oss gpt_neo gpt_neox gptj opt bloom falcon mamba mamba2 rwkv".split(
    " ",
  );

test.each(FAMILIES)("%s gives the same when a text is read in two", async (name) => {
  const model: Module = await AutoModelForCausalLM.fromPretrained(golden(name));
  const config = { layer: 0, component: "block_output", intervention: direction };
  const aligned = new IntervenableModel(config, model);
  const options = { sources: SOURCE, unitLocations: { "sources->base": 4 } };
  const [one, two] = both(aligned, BASE, options);
  expect(await distance(one.logits, two.logits)).toBeLessThan(2e-5);
  const plain = aligned.forward(BASE, options).original as Output;
  expect(await distance(plain.logits.slice(1, 4), two.logits.slice(1, 4))).toBeGreaterThan(1e-5);
  for (const [i, hidden] of one.hiddenStates.entries()) {
    expect(await distance(hidden, two.hiddenStates[i] ?? hidden)).toBeLessThan(2e-5);
  }
});

describe("a text that is read in two", () => {
  const gpt2 = tinyGpt2();
  const site = { layer: 1, component: "block_output", intervention: direction } as const;

  test("gives all that a model gives", async () => {
    const aligned = new IntervenableModel(site, gpt2);
    const options = { sources: SOURCE, unitLocations: { "sources->base": 3 } };
    const [one, two] = both(aligned, BASE, options);
    expect(Object.keys(two).sort()).toEqual(Object.keys(one).sort());
    for (const [i, weights] of one.attentions.entries()) {
      expect(await distance(weights, two.attentions[i] ?? weights)).toBeLessThan(1e-5);
    }
  });

  test.each<[string, RepresentationConfig, UnitLocations]>([
    ["rows with other places", site, { "sources->base": [[2], [-1]] }],
    ["several places", { ...site, maxNumberOfUnits: 2 }, { "sources->base": [3, 5] }],
    [
      "heads at positions",
      {
        layer: 1,
        component: "head_value_output",
        unit: "h.pos",
        intervention: VanillaIntervention,
      },
      { "sources->base": { head: [0, 2], position: [2, 4] } },
    ],
    [
      "attention weights",
      {
        layer: 1,
        component: "attention_weight",
        unit: "h.pos.key",
        intervention: VanillaIntervention,
      },
      { "sources->base": { head: 1, position: 4, key: [0, 2] } },
    ],
    [
      "whole heads, where it is read in one",
      { layer: 1, component: "head_value_output", unit: "h", intervention: VanillaIntervention },
      { "sources->base": 1 },
    ],
    ["the first place, where it is read in one", site, { "sources->base": 0 }],
  ])("is the same for %s", async (_, config, unitLocations) => {
    await expectSame(gpt2, config, { unitLocations });
  });

  test("is the same for padded texts", async () => {
    const mask = tensor([[0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1]], { dtype: "int64" }); // prettier-ignore
    const base = { ...BASE, attentionMask: mask };
    const options = { unitLocations: { "sources->base": 5 } };
    await expectSame(gpt2, site, options, base);
    const llama: Module = await AutoModelForCausalLM.fromPretrained(golden("llama"));
    await expectSame(llama, { ...site, layer: 0 }, options, base);
  });

  test("is the same for groups one after another, and for several at once", async () => {
    const representations = [site, { ...site, layer: 2 }];
    const serial = { mode: "serial" as const, representations };
    const aligned = new IntervenableModel(serial, gpt2);
    const [one, two] = both(aligned, BASE, {
      sources: [SOURCE, ids([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1])],
      unitLocations: { "source_0->source_1": 3, "source_1->base": { source: 4, base: 5 } },
    });
    expect(await distance(one.logits, two.logits)).toBeLessThan(1e-5);
    await expectSame(gpt2, representations, {
      unitLocations: { "sources->base": { each: [4, 2] } },
    });
  });

  test("hands out what is collected in it", async () => {
    const reader = {
      layer: 2,
      component: "block_output",
      intervention: CollectIntervention,
    } as const;
    const aligned = new IntervenableModel([site, reader], gpt2);
    const collect = (reusePrefix: boolean): Tensor | undefined =>
      aligned.forward(BASE, {
        sources: [SOURCE, null],
        unitLocations: { "sources->base": { each: [3, { source: null, base: [[2], [5]] }] } },
        reusePrefix,
      }).collected[0];
    const [one, two] = [collect(false), collect(true)];
    if (one === undefined || two === undefined) throw new Error("nothing was collected");
    expect(await distance(one, two)).toBeLessThan(1e-5);
  });

  test("has the same gradients, with fewer products", async () => {
    const aligned = new IntervenableModel(site, gpt2);
    const parameters = aligned.trainableParameters().map((p) => p.value);
    const labels = tensor([4, 5], { dtype: "int64" });
    const work = async (reusePrefix: boolean): Promise<[Tensor, number]> => {
      const { logits } = aligned.forward(BASE, {
        sources: SOURCE,
        unitLocations: { "sources->base": 5 },
        reusePrefix,
      }).intervened;
      const [gradient] = grad(functional.crossEntropy(logits.select(1, -1), labels), parameters);
      resetStats();
      await evaluate(gradient as Tensor);
      return [gradient as Tensor, runtimeStats().multiplyAdds];
    };
    const [[whole, many], [parts, few]] = [await work(false), await work(true)];
    expect(await distance(whole, parts)).toBeLessThan(1e-5);
    expect(few).toBeLessThan(0.8 * many);
  });

  test("is the default for what is learned, and for nothing else", async () => {
    const learned = new IntervenableModel(site, gpt2);
    const fixed = new IntervenableModel({ ...site, intervention: VanillaIntervention }, gpt2);
    const options = { sources: SOURCE, unitLocations: { "sources->base": 5 } };
    const work = async (aligned: IntervenableModel, given: Options): Promise<number> => {
      const { logits } = aligned.forward(BASE, { ...options, ...given }).intervened as Output;
      resetStats();
      await logits.data();
      return runtimeStats().nodesRun;
    };
    for (const [aligned, reusePrefix] of [
      [learned, true],
      [fixed, false],
    ] as const) {
      // prettier-ignore
      expect(await work(aligned, {})).toBe(await work(aligned, { reusePrefix }));
      expect(await work(aligned, {})).not.toBe(await work(aligned, { reusePrefix: !reusePrefix }));
    }
    gpt2.train();
    expect(await work(learned, {})).toBe(await work(learned, { reusePrefix: false }));
    gpt2.eval();
  });

  test("is read in two after so many positions at most", async () => {
    const aligned = new IntervenableModel(site, gpt2);
    const options = { sources: SOURCE, unitLocations: { "sources->base": 5 } };
    const logits = (reusePrefix: number | boolean): Tensor =>
      aligned.forward(BASE, { ...options, reusePrefix }).intervened.logits;
    expect(await distance(logits(2), logits(false))).toBeLessThan(1e-5);
    for (const wrong of [-1, 1.5, NaN]) {
      expect(() => logits(wrong)).toThrow(
        `reusePrefix must be true, false or a number of positions, got ${wrong}`,
      );
    }
  });
});
