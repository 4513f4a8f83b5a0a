import { expect, test } from "vitest";
import {
  type AlignmentData,
  DirectionsFeaturizer,
  evalAlignment,
  evaluate,
  type FeatureCall,
  FeatureSwappingIntervention,
  grad,
  IntervenableModel,
  type InterventionOptions,
  Linear,
  manualSeed,
  Module,
  orthogonalWeight,
  type Tensor,
  tensor,
  trainAlignment,
  VanillaIntervention,
  widthOf,
} from "tsvene";

class Net extends Module {
  readonly first = new Linear(3, 24);
  readonly second = new Linear(24, 16);
  readonly third = new Linear(16, 24);
  readonly last = new Linear(24, 2);
  override forward(x: Tensor): Tensor {
    const middle = this.second.forward(this.first.forward(x).relu());
    return this.last.forward(this.third.forward(middle).relu());
  }
}

/** Of three bits, whether an odd number is set; the variable is whether the first two differ. */
const bitsOf = (n: number): readonly number[] => [n & 1, (n >> 1) & 1, (n >> 2) & 1];
const differ = (n: number): number => (n & 1) ^ ((n >> 1) & 1);
const odd = (n: number): number => differ(n) ^ ((n >> 2) & 1);
const inputs = (numbers: readonly number[]): Tensor =>
  tensor(numbers.map((n) => bitsOf(n).map((bit) => 2 * bit - 1)));
/** All pairs of inputs. */
const pairs: AlignmentData<Tensor> = {
  length: 64,
  batch: (indices) => {
    const [base, source] = [indices.map((i) => i % 8), indices.map((i) => Math.floor(i / 8))];
    const answers = base.map((n, i) => differ(source[i] ?? 0) ^ ((n >> 2) & 1));
    return {
      indices,
      base: inputs(base),
      sources: { differ: inputs(source) },
      labels: tensor(answers, { dtype: "int64" }),
      baseLabels: tensor(base.map(odd), { dtype: "int64" }),
    };
  },
};
const site = { component: "second.output", name: "differ" } as const;
/** The first half of the middle layer, which is to be the variable. */
const half = { ...site, intervention: VanillaIntervention.with({ interchangeDim: 8 }) };

async function trained(counterfactual: boolean): Promise<Net> {
  manualSeed(2);
  const net = new Net();
  await trainAlignment(new IntervenableModel(half, net), pairs, {
    parameters: "model",
    factual: 1,
    ...(counterfactual ? {} : { loss: ({ logits }) => logits.sum().mul(0) }),
    metric: "none",
    steps: 250,
    batchSize: 64,
    lr: 1e-2,
    seed: 1,
  });
  return net;
}

let made: Promise<Net> | undefined;
/** The network with the structure, trained once. */
const structuredNet = (): Promise<Net> => (made ??= trained(true));

test("interchange training gives a network the structure that plain training does not, and the task both", async () => {
  const [plain, structured] = [await trained(false), await structuredNet()];
  for (const [net, iia] of [[plain, 0.85], [structured, 0.999]] as const) {
    const all = Array.from({ length: 8 }, (_, i) => i);
    const said = Array.from(await net.forward(inputs(all)).argmax(-1).data(), Number);
    expect(said).toStrictEqual(all.map(odd));
    const score = await evalAlignment(new IntervenableModel(half, net), pairs, { randomDraws: 0, otherSite: false }); // prettier-ignore
    if (net === plain) expect(score.iia).toBeLessThan(iia);
    else expect(score.iia).toBeGreaterThan(iia);
    expect(score.controls.noEdit).toBe(0.5);
  }
}, 180_000); // prettier-ignore

test("gradients of interchange training flow through the source run", async () => {
  const net = new Net();
  const aligned = new IntervenableModel(half, net);
  const { base, sources, labels } = pairs.batch([11, 25, 38]);
  const source = sources["differ"] as Tensor;
  const loss = (): Tensor =>
    aligned.forward(base, { sources: source }).intervened.logSoftmax(-1).gather(1, labels.unsqueeze(1)).sum(); // prettier-ignore
  const weight = net.first.weight;
  const [own] = grad(loss(), [weight.value]) as Tensor[];
  const value = weight.value;
  await evaluate(value, ...(own === undefined ? [] : [own]));
  const along = value.sign().mul(0.5);
  const moved = async (by: number): Promise<number> => {
    weight.set(value.add(along.mul(by)));
    return loss().item();
  };
  const slope = ((await moved(5e-3)) - (await moved(-5e-3))) / 1e-2;
  weight.set(value);
  const found = await own?.mul(along).sum().item();
  expect(found).toBeCloseTo(slope, 2);
  // With the source's activation as a constant, the gradient is another.
  const { intervened } = aligned.forward(base, {
    sourceRepresentations: net.second.forward(net.first.forward(source).relu()).detach(),
  });
  const [cut] = grad(intervened.logSoftmax(-1).gather(1, labels.unsqueeze(1)).sum(), [weight.value]) as Tensor[]; // prettier-ignore
  expect(Math.abs((await cut?.mul(along).sum().item() ?? 0) - slope)).toBeGreaterThan(0.01);
}, 180_000); // prettier-ignore

/** Of each base, a network makes two directions. */
class Hyper extends FeatureSwappingIntervention {
  override readonly trainable = true;
  readonly net: Linear;
  readonly width: number;
  constructor(options: InterventionOptions) {
    super(options);
    this.width = widthOf("Hyper", options);
    this.net = new Linear(this.width, 2 * this.width);
  }
  override featurizerFor({ base }: FeatureCall): DirectionsFeaturizer {
    const free = this.net.forward(base).reshape([-1, this.width, 2]);
    return new DirectionsFeaturizer({
      weight: orthogonalWeight(free, undefined, { map: "matrixExp" }),
    });
  }
  override forward(base: Tensor, source?: Tensor): Tensor {
    return this.edited(base, source).output;
  }
}

test("a hypernetwork that computes directions is trained like any other intervention", async () => {
  const net = await structuredNet();
  manualSeed(1);
  const aligned = new IntervenableModel({ ...site, intervention: Hyper }, net);
  const options = { randomDraws: 0, otherSite: false } as const;
  const before = await evalAlignment(aligned, pairs, options);
  const { history } = await trainAlignment(aligned, pairs, { steps: 60, batchSize: 64, lr: 1e-2, seed: 0 });
  const after = await evalAlignment(aligned, pairs, options);
  expect(history.at(-1)?.loss).toBeLessThan(0.3 * (history[0]?.loss ?? 0));
  expect(after.iia).toBeGreaterThan(Math.max(0.99, before.iia + 0.2));
  // Each base has directions of its own.
  const { base } = pairs.batch([0, 1]);
  const hyper = aligned.interventions.get("differ") as Hyper;
  const states = net.second.forward(net.first.forward(base).relu());
  const { weight } = hyper.featurizerFor({ base: states, source: undefined });
  expect(weight.shape).toStrictEqual([2, 16, 2]);
  expect(await weight.select(0, 0).sub(weight.select(0, 1)).abs().amax().item()).toBeGreaterThan(1e-3); // prettier-ignore
}, 180_000); // prettier-ignore
