import { expect, test } from "vitest";
import {
  Adam,
  evaluate,
  Generator,
  grad,
  Intervention,
  IntervenableModel,
  type InterventionOptions,
  Linear,
  Module,
  Parameter,
  randn,
  type Tensor,
  VanillaIntervention,
  zeros,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

const prompts = ids([3, 1, 4, 1], [2, 7, 1, 8]);

/** Adds a learned vector. */
class Learned extends Intervention {
  override readonly sourceUse = "none";
  override readonly trainable = true;
  readonly shift: Parameter;

  constructor(options: InterventionOptions) {
    super(options);
    this.shift = new Parameter(zeros([options.embedDim ?? 1]));
  }

  override forward(base: Tensor): Tensor {
    return base.add(this.shift.value);
  }
}

test("an intervention is trained while the model stays as it is", async () => {
  const model = tinyGpt2();
  const intervenable = new IntervenableModel({ layer: 1, intervention: Learned }, model);
  const shift = randn([24], { generator: new Generator(4) });
  const shifted = new IntervenableModel({ layer: 1, intervention: (b) => b.add(shift) }, model);
  const before = await Promise.all(model.parameters().map(({ value }) => value.data()));
  const parameters = intervenable.trainableParameters();
  expect(parameters.map(({ shape }) => shape)).toStrictEqual([[24]]);
  const optimizer = new Adam(parameters, { lr: 0.1 });
  const losses: number[] = [];
  for (let step = 0; step < 30; step++) {
    const { original, intervened } = intervenable.forward(prompts, { unitLocations: { base: -1 } });
    // The last layers' answer as it would be with a vector added at layer 1.
    const wanted = shifted.forward(prompts, { unitLocations: { base: -1 } }).intervened.logits;
    const target = intervened.logits.sub(wanted).square().mean();
    expect(original.logits.requiresGrad).toBe(true);
    losses.push(await optimizer.step(target));
  }
  expect(losses.at(-1)).toBeLessThan(0.2 * (losses[0] ?? 0));
  const after = await Promise.all(model.parameters().map(({ value }) => value.data()));
  expect(after).toStrictEqual(before);
});

test("parameters are named by the interventions' keys, and by the model", () => {
  const intervenable = new IntervenableModel({ layer: 1, intervention: Learned }, tinyGpt2());
  const names = [...intervenable.namedParameters()].map(([name]) => name);
  expect(names[0]).toBe("interventions.layer 1 block_output.shift");
  expect(names).toContain("model.transformer.wte.weight");
  expect(Object.keys(intervenable.stateDict())).toStrictEqual(expect.arrayContaining(names));
  expect(intervenable.train().model.training).toBe(true);
});

/** A model with interventions as one layer of another. */
class Reader extends Module {
  readonly steered = new IntervenableModel({ layer: 2, intervention: Learned }, tinyGpt2(1));
  readonly head = new Linear(24, 2);

  override forward(inputs: typeof prompts): Tensor {
    const { hiddenStates } = this.steered.forward(inputs).intervened;
    return this.head.forward((hiddenStates.at(-1) as Tensor).mean({ dim: 1 }));
  }
}

test("a model with interventions is a part of another module, and is trained with it", async () => {
  const reader = new Reader();
  const names = [...reader.namedParameters()].map(([name]) => name);
  expect(names).toContain("steered.interventions.layer 2 block_output.shift");
  const wte = reader.steered.model.transformer.wte.weight;
  const [start, startTokens] = [await reader.head.weight.value.data(), await wte.value.data()];
  const optimizer = new Adam(reader.parameters(), { lr: 0.02 });
  const losses: number[] = [];
  for (let step = 0; step < 15; step++) {
    const logits = reader.forward(prompts).logSoftmax(-1);
    losses.push(
      await optimizer.step(
        logits.select(0, 0).select(0, 0).add(logits.select(0, 1).select(0, 1)).neg(),
      ),
    );
  }
  expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] ?? 0));
  expect(await reader.head.weight.value.data()).not.toStrictEqual(start);
  expect(await wte.value.data()).not.toStrictEqual(startTokens);
});

test("gradients of an interchange are those of finite differences, through source and base", async () => {
  const model = tinyGpt2(2);
  const intervenable = new IntervenableModel(
    { layer: 1, component: "head_value_output", unit: "h.pos", intervention: VanillaIntervention },
    model,
  );
  const bias = model.transformer.h.at(1).attn.c_attn.bias;
  const generator = new Generator(3);
  const weights = randn([2, 4, 64], { generator });
  const places = { head: [[1, 3], [0, 3]], position: [[2], [0]] }; // prettier-ignore
  const loss = (): Tensor => {
    const sources = ids([6, 2, 8, 3], [5, 7, 7, 2]);
    const unitLocations = { "sources->base": places };
    const { intervened } = intervenable.forward(prompts, { sources, unitLocations });
    return intervened.logits.mul(weights).sum();
  };
  const [gradient] = grad(loss(), [bias.value]);
  const direction = randn(bias.shape, { generator });
  const slope = gradient?.mul(direction).sum();
  const value = bias.value;
  const at = (step: number): Tensor => {
    bias.set(value.add(direction.mul(step)));
    return loss();
  };
  const [up, down] = [at(1e-2), at(-1e-2)];
  await evaluate(up, down);
  const wanted = ((await up.item()) - (await down.item())) / 2e-2;
  expect(Math.abs(((await slope?.item()) ?? NaN) - wanted)).toBeLessThan(
    0.02 * Math.abs(wanted) + 0.02,
  );
});
