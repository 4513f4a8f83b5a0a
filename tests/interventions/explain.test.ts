import { describe, expect, test } from "vitest";
import {
  AdditionIntervention,
  CollectIntervention,
  evaluate,
  Gemma2ForCausalLM,
  IntervenableModel,
  LlamaForCausalLM,
  LowRankRotatedSpaceIntervention,
  manualSeed,
  randn,
  resetStats,
  runtimeStats,
  SGD,
  SigmoidMaskIntervention,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
  type GPT2Component,
  type LlamaComponent,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();
const base = ids([3, 1, 4, 1], [2, 7, 1, 8]);
const source = ids([6, 2, 8, 3], [5, 7, 7, 2]);
const at = (layer: number, component: GPT2Component = "block_output") => ({ layer, component });
const paths = (layers: readonly { readonly path: string }[] = []): string[] =>
  layers.map(({ path }) => path.replace("transformer.h.", ""));

const interchange = new IntervenableModel({ ...at(2), intervention: VanillaIntervention }, model);
const given = {
  sources: source,
  unitLocations: { "sources->base": { source: 1, base: 3 } },
} as const;

test("runs nothing, and says what forward then takes", async () => {
  resetStats();
  const plan = interchange.explain(base, given);
  expect(runtimeStats()).toMatchObject({ runs: 0, programsCompiled: 0, nodesRun: 0 });
  await interchange.forward(base, given).intervened.logits.data();
  const { nodesRun, multiplyAdds, nodesByOp } = runtimeStats();
  expect(plan.cost).toMatchObject({ nodes: nodesRun, multiplyAdds, nodesByOp });
});

test("counts both outputs together, as computing them does", async () => {
  const plan = interchange.explain(base, given);
  resetStats();
  const { original, intervened } = interchange.forward(base, given);
  await evaluate(intervened.logits, original.logits);
  expect(plan.costWithOriginal.multiplyAdds).toBe(runtimeStats().multiplyAdds);
  expect(plan.costWithOriginal.multiplyAdds).toBeLessThan(
    plan.cost.multiplyAdds + (plan.runs[2]?.cost.multiplyAdds ?? 0),
  );
});

test("says where sources stop and which layers are shared", async () => {
  const plan = interchange.explain(base, given);
  const [read, edited, original] = plan.runs;
  expect(plan.runs.map(({ name }) => name)).toEqual(["source 0", "base", "original"]);
  expect(read?.stopsAt).toBe("transformer.h.2.output");
  expect(paths(read?.layers)).toEqual(["0", "1", "2"]);
  expect(paths(edited?.layers)).toEqual(["0", "1", "2", "3"]);
  expect(original?.layers.map(({ sharedWith }) => sharedWith)).toEqual([
    "base",
    "base",
    undefined,
    undefined,
  ]);
  // A source that is the base itself shares all below the edit.
  const same = interchange.explain(base, { ...given, sources: base });
  expect(same.runs[1]?.layers.map(({ sharedWith }) => sharedWith)).toEqual([
    "source 0",
    "source 0",
    undefined,
    undefined,
  ]);
  resetStats();
  await interchange.forward(base, { ...given, sources: base }).intervened.logits.data();
  expect(same.cost.multiplyAdds).toBe(runtimeStats().multiplyAdds);
});

test("says what each intervention meets", () => {
  manualSeed(0);
  const several = new IntervenableModel(
    [
      { ...at(0, "head_key_output"), unit: "h.pos", intervention: ZeroIntervention },
      {
        ...at(1, "mlp_output"),
        intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }),
      },
      { ...at(2, "mlp_activation"), intervention: CollectIntervention },
      {
        ...at(3, "mlp_output"),
        intervention: AdditionIntervention.with({ sourceRepresentation: randn([24]) }),
      },
    ],
    model,
  );
  const unitLocations = {
    "sources->base": {
      each: [
        {
          source: null,
          base: {
            head: [
              [0, 2],
              [1, 3],
            ],
            position: [[1], [1]],
          },
        },
        { source: [[1], [2]], base: [[3], [3]] },
        null,
        null,
      ],
    },
  } as const;
  const plan = several.explain(base, { sources: [null, source, null, null], unitLocations });
  expect(plan.interventions).toMatchObject([
    {
      intervention: "ZeroIntervention",
      site: "transformer.h.0.attn.c_attn.output",
      shape: [2, 4, 72],
      units: [2, 2, 1, 6],
      heads: 4,
      headDim: 6,
      part: { index: 1, of: 3 },
      source: "none",
      parameters: 0,
    },
    {
      site: "transformer.h.1.mlp.output",
      shape: [2, 4, 24],
      units: [2, 1, 24],
      heads: undefined,
      source: "source 1 at transformer.h.1.mlp.output",
      sourceShape: [2, 1, 24],
      parameters: 48,
    },
    { shape: [2, 4, 96], units: [2, 4, 96], source: "none" },
    { source: "constant", sourceShape: [24] },
  ]);
  expect(plan.trainableParameters).toBe(48);
  expect(plan.trainableParameters).toBe(several.countParameters());
});

test("prints tables", () => {
  const text = String(interchange.explain(base, given));
  expect(text).toContain("layer 2 block_output");
  expect(text).toMatch(
    /VanillaIntervention +transformer.h.2.output +\[2, 4, 24\] +- +\[2, 1, 24\] +source 0 at transformer.h.2.output \[2, 1, 24\]/,
  );
  expect(text).toMatch(
    /source 0 +0 +1 +transformer.h.0 to transformer.h.2 +- +transformer.h.2.output/,
  );
  expect(text).toMatch(/original .*transformer.h.0 to transformer.h.1 with base/);
  expect(text).toMatch(/intervened: \d+ operations, [\d.]+ [kM] multiply-adds, .*KiB/);
});

test("an intervention that is skipped is listed as such", () => {
  const plan = interchange.explain(base, { sources: [null] });
  expect(plan.interventions[0]).toMatchObject({ source: "null: skipped", shape: undefined });
  expect(plan.runs.map(({ edits }) => edits.length)).toEqual([0, 0]);
});

test("serial runs come in their order, and labels give a loss", () => {
  const serial = new IntervenableModel({ mode: "serial", representations: [at(1), at(3)] }, model);
  const plan = serial.explain(base, {
    sources: [source, source],
    unitLocations: { "source_0->source_1": 1, "source_1->base": 2 },
    labels: base.inputIds,
  });
  expect(plan.runs.map(({ name, edits, reads }) => [name, edits.length, reads.length])).toEqual([
    ["source 0", 0, 1],
    ["source 1", 1, 1],
    ["base", 1, 0],
    ["original", 0, 0],
  ]);
  expect(plan.cost.nodesByOp).toHaveProperty("logSoftmax");
});

const impossible: readonly (readonly [name: string, options: object])[] = [
  ["a missing source", {}],
  ["a position out of range", { ...given, unitLocations: { "sources->base": 9 } }],
  ["places without a source side", { sources: source, unitLocations: { base: 1 } }],
  ["subspaces out of range", { ...given, subspaces: 24 }],
  ["another stage", { ...given, unitLocations: { "source_0->base": 1 } }],
  ["a source of another shape", { sources: ids([1, 2, 3], [4, 5, 6]) }],
];

test.each(impossible)("refuses %s with the error of forward", (_, options) => {
  const message = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return String(error);
    }
    throw new Error("it was not refused");
  };
  const wanted = message(() => interchange.forward(base, options));
  expect(message(() => interchange.explain(base, options))).toBe(wanted);
});

describe("as a module", () => {
  test("counts what is learned, linked interventions once, and the model where asked", () => {
    const linked = new IntervenableModel(
      [0, 1].map((layer) => ({
        ...at(layer),
        intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 3 }),
        interventionLinkKey: 0,
      })),
      model,
    );
    const own = model.parameters().reduce((sum, { numel }) => sum + numel, 0);
    expect(linked.countParameters()).toBe(72);
    expect(linked.countParameters({ includeModel: true })).toBe(72 + own);
  });

  test("gradients of the model are wanted, or not, by explicit calls alone", () => {
    const fresh = tinyGpt2(1);
    const wanted = (): boolean[] => fresh.parameters().map(({ requiresGrad }) => requiresGrad);
    const intervenable = new IntervenableModel(
      { ...at(1), intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }) },
      fresh,
    );
    intervenable.forward(base, { ...given });
    intervenable.explain(base, { ...given });
    expect(wanted()).not.toContain(false);
    intervenable.disableModelGradients();
    expect(wanted()).not.toContain(true);
    expect(intervenable.countParameters({ includeModel: true })).toBe(48);
    expect(intervenable.trainableParameters().every(({ requiresGrad }) => requiresGrad)).toBe(true);
    intervenable.enableModelGradients();
    expect(wanted()).not.toContain(false);
    expect(fresh.training).toBe(false);
  });

  test("no gradient is left over that would have to be cleared, and there is one device", async () => {
    const learned = async (clears: boolean): Promise<unknown> => {
      const own = new IntervenableModel({ ...at(1), intervention: SigmoidMaskIntervention }, model);
      const optimizer = new SGD(own.trainableParameters(), { lr: 0.1 });
      for (let step = 0; step < 3; step++) {
        if (clears) own.zeroGrad();
        await optimizer.step(own.forward(base, given).intervened.logits.square().mean());
      }
      return own.trainableParameters()[0]?.value.toArray();
    };
    expect(await learned(true)).toStrictEqual(await learned(false));
    expect(interchange.device).toBe("cpu");
  });

  test("train and eval reach the interventions and the model", () => {
    const fresh = tinyGpt2(1);
    const intervenable = new IntervenableModel({ ...at(1), intervention: ZeroIntervention }, fresh);
    const modes = (): boolean[] =>
      [fresh, ...[...intervenable.interventions].map(([, i]) => i)].map(({ training }) => training);
    expect(intervenable.train()).toBe(intervenable);
    expect(modes()).toEqual([true, true]);
    expect(intervenable.eval()).toBe(intervenable);
    expect(modes()).toEqual([false, false]);
  });

  test("sets the temperature of those that have one", async () => {
    const both = new IntervenableModel(
      [
        { ...at(1), intervention: SigmoidMaskIntervention },
        { ...at(2), intervention: VanillaIntervention },
      ],
      model,
    );
    both.setTemperature(0.25);
    const [mask] = [...both.interventions].map(([, intervention]) => intervention);
    expect(await mask?.temperature?.value.item()).toBeCloseTo(0.25);
    expect(() => interchange.setTemperature(1)).toThrow(/no intervention has a temperature/);
    expect(() => both.setTemperature(0)).toThrow(/a positive number, got 0/);
  });

  test("prints each intervention with its place", () => {
    const text = String(interchange);
    expect(text).toMatch(/^IntervenableModel\(GPT2LMHeadModel, parallel\)\n/);
    expect(text).toMatch(/VanillaIntervention\(.*\) at transformer.h.2.output, group 0$/);
  });
});

test("says where an output is not what is added to the residual stream", () => {
  const sizes = { vocabSize: 20, hiddenSize: 8, intermediateSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, headDim: 4, numKeyValueHeads: 1 } as const; // prettier-ignore
  const inputIds = tensor([[3, 1, 4]], { dtype: "int64" });
  const noteOf = (
    model: Gemma2ForCausalLM | LlamaForCausalLM,
    component: LlamaComponent,
  ): string => {
    const place = { layer: 0, component, intervention: ZeroIntervention };
    const plan = new IntervenableModel<typeof model>(place, model).explain({ inputIds });
    const [{ note } = { note: undefined }] = plan.interventions;
    if (note !== undefined) expect(String(plan)).toContain(note);
    return note ?? "none";
  };
  const [gemma, llama] = [new Gemma2ForCausalLM(sizes).eval(), new LlamaForCausalLM(sizes).eval()];
  expect(noteOf(gemma, "mlp_output")).toMatch(/not what is added .*mlp_addition/);
  expect(noteOf(gemma, "attention_output")).toMatch(/not what is added .*attention_addition/);
  expect(noteOf(gemma, "mlp_addition")).toBe("none");
  expect(noteOf(llama, "mlp_output")).toBe("none");
});
