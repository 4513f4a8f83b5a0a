import { expect, test } from "vitest";
import {
  BoundlessRotatedSpaceIntervention,
  IntervenableModel,
  JumpReLUAutoencoderIntervention,
  randn,
  RotatedSpaceIntervention,
  SigmoidMaskIntervention,
  type Tensor,
  TrainableIntervention,
  VanillaIntervention,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

async function distance(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

const base = ids([3, 1, 4, 1], [2, 7, 1, 8]);
const source = ids([6, 2, 8, 3], [5, 7, 7, 2]);

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

test("classes that see units apart are as wide as one", () => {
  const apart = [SigmoidMaskIntervention, JumpReLUAutoencoderIntervention].map(
    (intervention) =>
      new IntervenableModel({ intervention, maxNumberOfUnits: 2, latentDim: 30 }, tinyGpt2()),
  );
  const shapes = apart.map((m) => m.trainableParameters().map(({ shape }) => shape)[0]);
  expect(shapes).toStrictEqual([[24], [24, 30]]);
  for (const model of apart) {
    const unitLocations = { "sources->base": [[0, 1], [2, 3]] } as const; // prettier-ignore
    const { intervened } = model.forward(base, { sources: source, unitLocations });
    expect(intervened.logits.shape).toStrictEqual([2, 4, 64]);
  }
});

test("latents are handed out", async () => {
  const model = tinyGpt2();
  const sae = new IntervenableModel(
    { layer: 1, intervention: JumpReLUAutoencoderIntervention, latentDim: 30 },
    model,
  );
  const { latents } = sae.forward(base, {
    sources: source,
    unitLocations: { "sources->base": 2 },
  });
  expect(Object.keys(latents)).toStrictEqual(sae.keys);
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
  const logits = [RotatedSpaceIntervention, VanillaIntervention].map((intervention) => {
    const intervenable = new IntervenableModel(
      { layer: 1, intervention, sourceRepresentation },
      tinyGpt2(),
    );
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
