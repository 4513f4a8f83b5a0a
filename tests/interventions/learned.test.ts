import { describe, expect, test } from "vitest";
import {
  AutoencoderIntervention,
  BoundlessRotatedSpaceIntervention,
  cat,
  IntervenableModel,
  type InterventionOptions,
  JumpReLUAutoencoderIntervention,
  Linear,
  LowRankRotatedSpaceIntervention,
  Module,
  Parameter,
  randn,
  type RepresentationConfig,
  RotatedSpaceIntervention,
  runtimeStats,
  SigmoidMaskIntervention,
  type Tensor,
  TrainableIntervention,
  VanillaIntervention,
  widthOf,
  zeros,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

async function distance(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

const base = ids([3, 1, 4, 1], [2, 7, 1, 8]);
const source = ids([6, 2, 8, 3], [5, 7, 7, 2]);

/** A kind of one's own that is as wide as its place. */
class Shift extends TrainableIntervention {
  override readonly sourceUse = "none";
  readonly shift: Parameter;
  constructor(options: InterventionOptions) {
    super(options);
    this.shift = new Parameter(zeros([widthOf("Shift", options)]));
  }
  override forward(b: Tensor): Tensor {
    return b.add(this.shift.value);
  }
}

test("what knows its width builds classes at module paths", () => {
  const component = "transformer.h[-1].mlp.output";
  const intervenable = new IntervenableModel(
    { component, intervention: RotatedSpaceIntervention, maxNumberOfUnits: 2 },
    tinyGpt2(),
  );
  expect(intervenable.trainableParameters().map(({ shape }) => shape)).toStrictEqual([[48, 48]]);
  const fused = new IntervenableModel(
    { component: "transformer.h.0.attn.c_attn.output", intervention: SigmoidMaskIntervention },
    tinyGpt2(),
  );
  expect(fused.trainableParameters().map(({ shape }) => shape)).toStrictEqual([[72]]);
  expect(() => new RotatedSpaceIntervention({})).toThrow(
    "RotatedSpaceIntervention: embedDim, the width of what it works on, is not known",
  );
});

class Mixer extends Module {
  override forward(x: Tensor): Tensor {
    return cat([x, x.relu()], -1);
  }
}

/** A module of one's own in the middle: no card and no layer says how wide its output is. */
class Mixed extends Module {
  readonly first = new Linear(4, 3);
  readonly mixer = new Mixer();
  readonly spare = new Mixer();
  readonly last = new Linear(6, 2);
  override forward(x: Tensor): Tensor {
    return this.last.forward(this.mixer.forward(this.first.forward(x)));
  }
}

describe("a width that only a trace says", () => {
  const at = { component: "mixer.output" };
  const x = randn([2, 5, 4]);
  const given = { sources: randn([2, 5, 4]), unitLocations: { "sources->base": { source: [0, 1], base: [2, 4] } } } as const; // prettier-ignore

  test.each<readonly [string, RepresentationConfig, readonly (readonly number[])[]]>([
    ["one unit", { intervention: RotatedSpaceIntervention }, [[6, 6]]],
    ["two", { intervention: RotatedSpaceIntervention, maxNumberOfUnits: 2 }, [[12, 12]]],
    ["apart", { intervention: SigmoidMaskIntervention, maxNumberOfUnits: 2 }, [[6]]],
    ["an autoencoder", { intervention: AutoencoderIntervention.with({ latentDim: 9 }) }, [[9, 6], [9], [6, 9], [6]]], // prettier-ignore
    [
      "directions",
      { intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }) },
      [[6, 2]],
    ],
  ])("is that of %s", (_, what, shapes) => {
    const intervenable = new IntervenableModel<Module>({ ...at, ...what }, new Mixed());
    expect(intervenable.inferWidths(x)).toBe(intervenable);
    const parameters = intervenable.trainableParameters();
    expect(parameters.map(({ shape }) => shape)).toStrictEqual(shapes);
    intervenable.inferWidths(randn([1, 1, 4]));
    expect(intervenable.trainableParameters()).toStrictEqual(parameters);
  });

  test("is inferred by forward and by explain, once, and nothing runs", async () => {
    const config = { ...at, intervention: RotatedSpaceIntervention, maxNumberOfUnits: 2 };
    const build = () => new IntervenableModel<Module>(config, new Mixed());
    const [run, explained] = [build(), build()] as const;
    const before = runtimeStats();
    const first = run.forward(x, given).intervened as Tensor;
    expect(explained.explain(x, given).trainableParameters).toBe(144);
    expect(runtimeStats().runs).toBe(before.runs);
    expect(run.countParameters()).toBe(144);
    const parameters = run.trainableParameters();
    const again = run.forward(x, given).intervened as Tensor;
    expect(run.trainableParameters()).toStrictEqual(parameters);
    expect(await again.toArray()).toStrictEqual(await first.toArray());
  });

  test("is inferred by generate, from the prompt", async () => {
    const component = "transformer.h[1].mlp.act.output";
    const shift = new IntervenableModel({ component, intervention: Shift }, tinyGpt2());
    const options = { maxNewTokens: 3, eosTokenId: null };
    const { intervened } = await shift.generate(base, options);
    expect(shift.trainableParameters()[0]?.shape).toStrictEqual([96]);
    const plain = await tinyGpt2().generate(base, options);
    expect(await intervened.sequences.toArray()).toStrictEqual(await plain.sequences.toArray());
  });

  test("is that of linked interventions, and what is built stays", () => {
    const rotated = { intervention: RotatedSpaceIntervention };
    const intervenable = new IntervenableModel<Module>(
      [
        { ...rotated, component: "first.output" },
        { ...rotated, ...at, interventionLinkKey: "basis" },
        { ...rotated, component: "last.input", interventionLinkKey: "basis" },
      ],
      new Mixed(),
    );
    const [first = "", second = "", third = ""] = intervenable.names;
    const built = intervenable.interventions.get(first);
    intervenable.inferWidths(x);
    expect(intervenable.interventions.get(first)).toBe(built);
    expect(intervenable.interventions.get(second)).toBe(intervenable.interventions.get(third));
    expect(intervenable.countParameters()).toBe(9 + 36);
  });

  test("is said to be missing wherever it is wanted before", () => {
    const intervenable = new IntervenableModel<Module>(
      { ...at, intervention: RotatedSpaceIntervention },
      new Mixed(),
    );
    const [key = ""] = intervenable.names;
    for (const early of [
      () => intervenable.parameters(),
      () => intervenable.trainableParameters(),
      () => intervenable.countParameters(),
      () => intervenable.stateDict(),
      () => intervenable.eval(),
      () => intervenable.interventions.get(key),
    ]) {
      expect(early).toThrow(
        /RotatedSpaceIntervention has no parameters yet, .* mixer\.output is; call inferWidths\(base\)/,
      );
    }
    expect(String(intervenable)).toContain("RotatedSpaceIntervention(as wide as what it will");
  });

  test("cannot be read off a module that is not used, and nothing is changed then", () => {
    const intervenable = new IntervenableModel<Module>(
      [at, { component: "spare.output" }].map((place) => ({
        ...place,
        intervention: RotatedSpaceIntervention,
      })),
      new Mixed(),
    );
    expect(() => intervenable.inferWidths(x)).toThrow(
      /spare passed no output; is that module used/,
    );
    expect(() => intervenable.trainableParameters()).toThrow(/mixer\.output is/);
  });
});

test("classes that see units apart are as wide as one", () => {
  const sae = JumpReLUAutoencoderIntervention.with({ latentDim: 30 });
  const apart = [SigmoidMaskIntervention, sae].map(
    (intervention) => new IntervenableModel({ intervention, maxNumberOfUnits: 2 }, tinyGpt2()),
  );
  const shapes = apart.map((m) => m.trainableParameters().map(({ shape }) => shape)[0]);
  expect(shapes).toStrictEqual([[24], [24, 30]]);
  for (const model of apart) {
    const unitLocations = { "sources->base": { source: [0, 1], base: [2, 3] } } as const; // prettier-ignore
    const { intervened } = model.forward(base, { sources: source, unitLocations });
    expect(intervened.logits.shape).toStrictEqual([2, 4, 64]);
  }
});

test("latents are handed out", async () => {
  const model = tinyGpt2();
  const sae = new IntervenableModel(
    { layer: 1, intervention: JumpReLUAutoencoderIntervention.with({ latentDim: 30 }) },
    model,
  );
  const { latents } = sae.forward(base, {
    sources: source,
    unitLocations: { "sources->base": 2 },
  });
  expect(Object.keys(latents)).toStrictEqual(sae.names);
  const [latent] = Object.values(latents);
  expect(latent?.shape).toStrictEqual([2, 1, 30]);
  expect(await latent?.amax().item()).toBeGreaterThan(0);
});

test("a whole rotation is an interchange", async () => {
  const model = tinyGpt2();
  const [plain, rotation] = [VanillaIntervention, RotatedSpaceIntervention].map((intervention) => {
    const intervenable = new IntervenableModel({ layer: 1, intervention }, model);
    const given = { sources: source, unitLocations: { "sources->base": 2 } } as const;
    return intervenable.forward(base, given).intervened.logits;
  });
  if (plain === undefined || rotation === undefined) throw new Error("there are no logits");
  const size = await plain.abs().amax().item();
  expect(await distance(plain, rotation)).toBeLessThan(1e-5 * size);
});

test("a constant takes the place of a source in learned interventions", async () => {
  const sourceRepresentation = randn([24]);
  const given = { unitLocations: { base: 2 } } as const;
  const logits = [RotatedSpaceIntervention, VanillaIntervention].map((kind) => {
    const intervention = kind.with({ sourceRepresentation });
    const intervenable = new IntervenableModel({ layer: 1, intervention }, tinyGpt2());
    return intervenable.forward(base, given).intervened.logits;
  });
  const [rotation, plain] = logits;
  if (plain === undefined || rotation === undefined) throw new Error("there are no logits");
  expect(await distance(plain, rotation)).toBeLessThan(1e-5 * (await plain.abs().amax().item()));
});

test("temperatures of all interventions are set at once", async () => {
  const intervenable = new IntervenableModel(
    [
      { layer: 0, intervention: SigmoidMaskIntervention },
      { layer: 1, intervention: VanillaIntervention },
      { layer: 2, intervention: BoundlessRotatedSpaceIntervention },
    ],
    tinyGpt2(),
  );
  intervenable.setTemperature(3);
  const temperatures = [...intervenable.interventions].flatMap(([, { temperature }]) =>
    temperature === undefined ? [] : [temperature.value],
  );
  expect(await Promise.all(temperatures.map((t) => t.item()))).toStrictEqual([3, 3]);
  const plain = new IntervenableModel({ intervention: VanillaIntervention }, tinyGpt2());
  expect(() => plain.setTemperature(3)).toThrow("no intervention has a temperature");
});

test("a kind of one's own is declared by what it extends", () => {
  class Scale extends TrainableIntervention {
    override readonly sourceUse = "none";
    override forward(b: Tensor): Tensor {
      return b.mul(2);
    }
  }
  const intervenable = new IntervenableModel({ intervention: Scale }, tinyGpt2());
  const [kind] = [...intervenable.interventions].map(([, intervention]) => intervention);
  expect(kind).toMatchObject({ trainable: true, sourceUse: "none", concatenatesUnits: false });
});
