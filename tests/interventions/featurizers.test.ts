import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  Adam,
  AutoencoderFeaturizer,
  ComposedFeaturizer,
  type ConfiguredIntervention,
  DirectionsFeaturizer,
  evaluate,
  FeaturizedIntervention,
  type FeaturizedOptions,
  Featurizer,
  type FeaturizerOptions,
  Generator,
  grad,
  IdentityFeaturizer,
  IntervenableModel,
  Intervention,
  JumpReLUAutoencoderIntervention,
  JumpReLUFeaturizer,
  LowRankRotatedSpaceIntervention,
  MaskedFeaturesIntervention,
  PCAFeaturizer,
  PCARotatedSpaceIntervention,
  randn,
  registerFeaturizer,
  RotatedSpaceIntervention,
  RotationFeaturizer,
  SigmoidMaskIntervention,
  SigmoidMaskRotatedSpaceIntervention,
  StandardizeFeaturizer,
  Tensor,
  tensor,
  where,
  type WithFeaturizer,
  zeros,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

const WIDTH = 8;
const generator = new Generator(5);
const normal = (...shape: number[]): Tensor => randn(shape, { generator });
const samples = normal(60, WIDTH);
const sixComponents = await PCAFeaturizer.fit(normal(60, 24), { components: 6 });
const standardize = StandardizeFeaturizer.fit(normal(60, 24));
const folder = mkdtempSync(path.join(os.tmpdir(), "tsvene-featurizers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function distance(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

function outputOf(result: ReturnType<Intervention["forward"]>): Tensor {
  if (result === undefined) throw new Error("it returned nothing");
  return result instanceof Tensor ? result : result.output;
}

/** One's own kind: each pair of dimensions as a sum and a difference. */
class Pairs extends Featurizer {
  readonly width: number;
  readonly count: number;
  constructor(options: FeaturizerOptions) {
    super(options);
    this.width = this.count = options.width ?? 0;
  }
  override encode(h: Tensor): Tensor {
    return h
      .add(h.flip([-1]))
      .mul(0.5)
      .add(h.sub(h.flip([-1])).mul(2));
  }
  override decode(features: Tensor): Tensor {
    const flipped = features.flip([-1]);
    return features.add(flipped).mul(0.5).add(features.sub(flipped).mul(0.125));
  }
}

const all: readonly (readonly [string, () => Featurizer | Promise<Featurizer>, number, boolean])[] =
  [
    ["identity", () => new IdentityFeaturizer({ width: WIDTH }), 8, false],
    ["rotation", () => new RotationFeaturizer({ width: WIDTH }), 8, false],
    ["directions", () => new DirectionsFeaturizer({ width: WIDTH, rank: 3 }), 3, true],
    ["standardise", () => StandardizeFeaturizer.fit(samples), 8, false],
    ["all components", () => PCAFeaturizer.fit(samples), 8, false],
    ["some components", () => PCAFeaturizer.fit(samples, { components: 5 }), 5, true],
    ["autoencoder", () => new AutoencoderFeaturizer({ width: WIDTH, latentDim: 20 }), 20, true],
    ["jumping ReLUs", () => new JumpReLUFeaturizer({ width: WIDTH, latentDim: 20 }), 20, true],
    ["one's own", () => new Pairs({ width: WIDTH }), 8, false],
    [
      "standardise, then directions",
      () =>
        new ComposedFeaturizer({
          featurizers: [
            StandardizeFeaturizer.fit(samples),
            new DirectionsFeaturizer({ width: WIDTH, rank: 2 }),
          ],
        }),
      2,
      true,
    ],
  ];

describe.each(all)("%s", (_name, build, count, loses) => {
  test("gives features and an error term, and inverse is the way back", async () => {
    const featurizer = await build();
    const h = normal(4, 3, WIDTH);
    const { features, error } = featurizer.featurize(h);
    expect(features.shape).toStrictEqual([4, 3, count]);
    expect(featurizer.count).toBe(count);
    expect(error !== undefined).toBe(loses);
    expect(await distance(featurizer.inverse(features, error), h)).toBeLessThan(1e-5);
    // What is called lossy does lose something without the error term.
    const lost = await distance(featurizer.inverse(features), h);
    expect(lost > 1e-3).toBe(loses);
  });

  test("swaps a set of features and leaves the others and the error as they are", async () => {
    const featurizer = await build();
    const swap = new FeaturizedIntervention({ featurizer, interchangeDim: [1] });
    const [base, source] = [normal(4, 3, WIDTH), normal(4, 3, WIDTH)];
    const { output, latent } = swap.forward(base, source);
    const [own, other] = [featurizer.featurize(base), featurizer.encode(source)];
    const picked = tensor(Array.from({ length: count }, (_, i) => i === 1));
    const wanted = where(picked, other, own.features);
    expect(await distance(output, featurizer.inverse(wanted, own.error))).toBeLessThan(1e-5);
    expect(await distance(latent ?? output, wanted)).toBe(0);
    expect(await distance(outputOf(swap.forward(base, base)), base)).toBeLessThan(1e-5);
  });
});

describe("the same as the class of pyvene's", () => {
  const [base, source] = [normal(4, 3, WIDTH), normal(4, 3, WIDTH)];
  const learned = (intervention: Intervention): Intervention => {
    for (const parameter of intervention.parameters()) {
      parameter.set(parameter.value.add(normal(...parameter.shape).mul(0.3)));
    }
    return intervention;
  };
  const options = { embedDim: WIDTH };
  const low = new LowRankRotatedSpaceIntervention({ ...options, lowRankDimension: 3 });
  const sae = new JumpReLUAutoencoderIntervention({ ...options, latentDim: 20, errorTerm: true });
  const masked = new SigmoidMaskRotatedSpaceIntervention(options);
  const neurons = new SigmoidMaskIntervention(options);

  const rotated = new RotatedSpaceIntervention({ ...options, interchangeDim: 3 });

  test.each<readonly [string, Intervention, readonly number[] | undefined, number]>([
    ["rotation", learned(rotated), [0, 1, 2], 3e-6],
    ["low rank", learned(low), undefined, 3e-6],
    ["jumping ReLUs", learned(sae), undefined, 1e-12],
  ])("%s", async (_name, own, interchangeDim, rounding) => {
    const featurizer = (own as LowRankRotatedSpaceIntervention).featurizerFor();
    const same = new FeaturizedIntervention({ featurizer, interchangeDim });
    const wanted = outputOf(own.forward(base, source));
    // Those of rotations go the shorter way along the directions that change, which rounds otherwise.
    expect(await distance(same.forward(base, source).output, wanted)).toBeLessThan(rounding);
  });

  test.each<
    readonly [string, SigmoidMaskIntervention | SigmoidMaskRotatedSpaceIntervention, Tensor]
  >([
    ["mask", neurons, normal(WIDTH)],
    ["rotated mask", masked, normal(WIDTH)],
  ])("%s", async (_name, own, mask) => {
    (own === neurons ? neurons.mask : masked.masks).set(mask);
    const same = new MaskedFeaturesIntervention({ featurizer: own.featurizerFor() });
    same.masks.set(mask);
    for (const one of [own, same]) one.setTemperature(0.7);
    for (const hard of [false, true]) {
      const wanted = own.forward(base, source, { hard });
      expect(await distance(same.forward(base, source, { hard }), wanted)).toBe(0);
    }
  });

  test("PCA with all components; with fewer, pyvene's loses what they do not span", async () => {
    const theirs = await PCARotatedSpaceIntervention.fit(samples, { components: 5 });
    const ours = new FeaturizedIntervention({
      featurizer: await PCAFeaturizer.fit(samples, { components: 5 }),
    });
    expect(await distance(ours.forward(base, base).output, base)).toBeLessThan(1e-5);
    expect(await distance(theirs.forward(base, base), base)).toBeGreaterThan(0.01);
    const full = await PCARotatedSpaceIntervention.fit(samples, { interchangeDim: 3 });
    const same = new FeaturizedIntervention({
      featurizer: await PCAFeaturizer.fit(samples),
      interchangeDim: 3,
    });
    expect(await distance(same.forward(base, source).output, full.forward(base, source))).toBe(0);
  });
});

describe("what becomes of features", () => {
  const [base, source] = [normal(2, WIDTH), normal(2, WIDTH)];
  const featurizer = new RotationFeaturizer({ width: WIDTH });

  test("they are added, subtracted, switched off, or named in the call", async () => {
    const [f, g] = [featurizer.encode(base), featurizer.encode(source)];
    const run = (options: Omit<FeaturizedOptions, "featurizer">, subspaces?: number[]): Tensor => {
      const made = new FeaturizedIntervention({ featurizer, ...options });
      return made.forward(base, made.sourceUse === "none" ? undefined : source, { subspaces })
        .output;
    };
    const none = zeros([WIDTH]);
    const half = tensor([0, 0, 0, 0, 1, 1, 1, 1]);
    for (const [found, wanted] of [
      [run({ mode: "add" }), f.add(g)],
      [run({ mode: "subtract" }), f.sub(g)],
      [run({ sourceFeatures: none }), f.mul(0)],
      [run({ sourceFeatures: none, interchangeDim: 4 }), f.mul(half)],
      [run({}, [0, 1, 2, 3]), g.add(f.sub(g).mul(half))],
      [
        run({ subspacePartition: [{ from: 0, to: 4 }, [4, 5, 6, 7]] }, [0]),
        g.add(f.sub(g).mul(half)),
      ],
    ] as const) {
      expect(await distance(found, featurizer.decode(wanted))).toBeLessThan(1e-5);
    }
  });

  test("directions of one's own say where they lead, and how far", async () => {
    const up = new FeaturizedIntervention({
      featurizer: { kind: "directions", directions: tensor([0, 0.6, 0.8]) },
      embedDim: 3,
      sourceFeatures: tensor([10]),
    });
    const moved = up.forward(tensor([[1, 2, 3]])).output;
    // 2 · 0.6 + 3 · 0.8 = 3.6 becomes 10
    expect(await moved.toArray()).toStrictEqual([[1, expect.closeTo(5.84, 4), expect.closeTo(8.12, 4)]]); // prettier-ignore
    expect(up.trainable).toBe(false);
  });

  test("computed directions, one set a row, get gradients", async () => {
    const angle = tensor([0.3, -1.1], { requiresGrad: true });
    const weight = (t: Tensor): Tensor =>
      t.cos().unsqueeze(-1).mul(tensor([1, 0])).add(t.sin().unsqueeze(-1).mul(tensor([0, 1]))).unsqueeze(-1); // prettier-ignore
    const h = tensor([[1, 2], [3, 4]]); // prettier-ignore
    const other = tensor([[5, 1], [-2, 6]]); // prettier-ignore
    const loss = (t: Tensor): Tensor => {
      const made = new DirectionsFeaturizer({ weight: weight(t) });
      return made.inverse(made.encode(other), made.featurize(h).error).square().sum();
    };
    const [slope] = grad(loss(angle), [angle]);
    const step = 1e-2;
    for (const [i, found] of ((await slope.toArray()) as number[]).entries()) {
      const moved = (amount: number): Tensor => loss(angle.detach().add(tensor([0, 1].map((k) => (k === i ? amount : 0))))); // prettier-ignore
      const [up, down] = [await moved(step).item(), await moved(-step).item()];
      expect(found).toBeCloseTo((up - down) / (2 * step), 1);
    }
  });
});

describe("a mask over features", () => {
  test("is half of each at first, and decided it swaps features whole or not at all", async () => {
    const mask = new MaskedFeaturesIntervention({ featurizer: "identity", embedDim: 4 });
    const [base, source] = [zeros([1, 4]), tensor([[1, 1, 1, 1]])];
    expect(await mask.forward(base, source).toArray()).toStrictEqual([[0.5, 0.5, 0.5, 0.5]]);
    mask.masks.set(tensor([2, -1, 0.1, 0]));
    const hard = mask.forward(base, source, { hard: true });
    expect(await hard.toArray()).toStrictEqual([[1, 0, 1, 0]]);
    expect(await mask.shares().toArray()).toStrictEqual(
      [2, -1, 0.1, 0].map((a): unknown => expect.closeTo(1 / (1 + Math.exp(-a)), 5)),
    );
  });

  test("keeps what the features do not say, and learns where to look", async () => {
    const featurizer = await PCAFeaturizer.fit(samples, { components: 5 });
    const mask = new MaskedFeaturesIntervention({ featurizer });
    const [base, source] = [normal(4, WIDTH), normal(4, WIDTH)];
    expect(await distance(mask.forward(base, base), base)).toBeLessThan(1e-5);
    // The third component of the source is wanted, and the others of the base.
    const third = tensor([0, 1, 2, 3, 4].map((i) => i === 2));
    const optimizer = new Adam(mask.parameters(), { lr: 0.3 });
    for (let step = 0; step < 40; step++) {
      const found = featurizer.encode(mask.forward(base, source));
      const wanted = where(third, featurizer.encode(source), featurizer.encode(base));
      await optimizer.step(found.sub(wanted).square().mean());
    }
    expect(await mask.decisions().toArray()).toStrictEqual([0, 0, 1, 0, 0]);
  });
});

describe("in a model", () => {
  const base = ids([3, 1, 4, 1], [2, 7, 1, 8]);
  const source = ids([6, 2, 8, 3], [5, 7, 7, 2]);
  const at = { layer: 1, component: "block_output" } as const;
  const call = { sources: source, unitLocations: { "sources->base": [1, 2] } };
  registerFeaturizer("pairs", Pairs);

  const featurized = (options: FeaturizedOptions) => FeaturizedIntervention.with(options);
  const masked = (options: WithFeaturizer) => MaskedFeaturesIntervention.with(options);
  test.each<readonly [string, ConfiguredIntervention, readonly (readonly number[])[]]>([
    ["a kind", featurized({ featurizer: "rotation", interchangeDim: 4 }), [[24, 24]]],
    ["data", featurized({ featurizer: { kind: "directions", rank: 3 }, mode: "add" }), [[24, 3]]],
    ["a mask over neurons", masked({ featurizer: "identity" }), [[24]]],
    ["a mask over components", masked({ featurizer: sixComponents }), [[6]]],
    ["a mask over a learned rotation", masked({ featurizer: "rotation" }), [[24], [24, 24]]],
    ["a sparse autoencoder", featurized({ featurizer: { kind: "jumpReLU", latentDim: 30 }, interchangeDim: [3, 4] }), [[24, 30], [30, 24], [30], [30], [24]]], // prettier-ignore
    ["an autoencoder without error term", featurized({ featurizer: { kind: "autoencoder", latentDim: 9, errorTerm: false } }), [[9, 24], [9], [24, 9], [24]]], // prettier-ignore
    ["a chain", featurized({ featurizer: { kind: "compose", featurizers: [standardize, "pairs", { kind: "directions", rank: 2 }] } }), [[24, 2]]], // prettier-ignore
    [
      "fixed features",
      featurized({ featurizer: "rotation", sourceFeatures: zeros([24]) }),
      [[24, 24]],
    ],
  ])(
    "%s is as wide as its place, and saved and loaded it does the same",
    async (name, intervention, shapes) => {
      const model = tinyGpt2();
      const intervenable = new IntervenableModel({ ...at, intervention }, model);
      expect(intervenable.trainableParameters().map(({ shape }) => shape)).toStrictEqual(shapes);
      for (const parameter of intervenable.trainableParameters()) {
        parameter.set(parameter.value.add(normal(...parameter.shape).mul(0.3)));
        // How vectors are turned, to the last bit, depends on numbers that are known, as loaded ones are.
        await evaluate(parameter.value);
      }
      const given = name === "fixed features" ? { unitLocations: { base: [1, 2] } } : call;
      const wanted = intervenable.forward(base, given).intervened.logits;
      await evaluate(wanted);
      const directory = path.join(folder, name.replaceAll(/\W/g, "-"));
      await intervenable.save(directory);
      const loaded = await IntervenableModel.load(directory, model);
      expect(await distance(loaded.forward(base, given).intervened.logits, wanted)).toBe(0);
      expect(loaded.interventions.get(loaded.names[0] ?? "").trainable).toBe(true);
    },
  );

  test("a frozen featuriser stays as it is while a mask is learned, and frozen when loaded", async () => {
    const featurizer = new JumpReLUFeaturizer({ width: 24, latentDim: 30 }).requiresGrad(false);
    const model = tinyGpt2();
    const intervenable = new IntervenableModel(
      { ...at, intervention: MaskedFeaturesIntervention.with({ featurizer }) },
      model,
    );
    const before = await featurizer.W_dec.value.toArray();
    const optimizer = new Adam(intervenable.trainableParameters(), { lr: 0.1 });
    const { intervened } = intervenable.forward(base, call);
    await optimizer.step(intervened.logits.square().mean());
    const made = intervenable.interventions.get(intervenable.names[0] ?? "");
    expect(await featurizer.W_dec.value.toArray()).toStrictEqual(before);
    expect(
      await (made as MaskedFeaturesIntervention).masks.value.abs().amax().item(),
    ).toBeGreaterThan(0.05);
    await intervenable.save(path.join(folder, "frozen"));
    const loaded = await IntervenableModel.load(path.join(folder, "frozen"), model);
    expect(loaded.countParameters()).toBe(30);
  });
});

describe("what cannot be", () => {
  const width = WIDTH;
  class Unnamed extends Pairs {}
  test.each<readonly [string, () => unknown, RegExp]>([
    [
      "no width",
      () => new RotationFeaturizer({}),
      /width must be a whole number of 1 or more, got undefined/,
    ],
    [
      "two kinds of directions",
      () => new DirectionsFeaturizer({ width, rank: 2, directions: tensor([1, 0]) }),
      /give one of rank .*, directions .* and weight/,
    ],
    [
      "a long direction",
      () => new DirectionsFeaturizer({ directions: tensor([3, 4]) }),
      /direction 0 has length 5\.000, not 1; divide/,
    ],
    ["skew directions", () => new DirectionsFeaturizer({ directions: tensor([[1, 0.6], [0, 0.8]]) }), /directions 0 and 1 are not at right angles, their product is 0\.6000/], // prettier-ignore
    [
      "a direction to come",
      () => new DirectionsFeaturizer({ directions: randn([4]).mul(1) }),
      /not evaluated; await evaluate/,
    ],
    ["a chain that breaks", () => new ComposedFeaturizer({ featurizers: [new DirectionsFeaturizer({ width, rank: 2 }), new IdentityFeaturizer({ width })] }), /featurizers\[1\] is made for 8, but featurizers\[0\] gives 2/], // prettier-ignore
    [
      "an unknown option",
      () => new IdentityFeaturizer({ width, rank: 3 } as FeaturizerOptions),
      /there is no option rank/,
    ],
    [
      "an unknown kind",
      () => new FeaturizedIntervention({ featurizer: "rotatoin", embedDim: 8 }),
      /no kind of featurizer "rotatoin"; did you mean rotation/,
    ],
    [
      "no kind",
      () => new FeaturizedIntervention({ featurizer: 3 as never, embedDim: 8 }),
      /a kind such as "rotation", or \{ kind, \.\.\. \}, got 3/,
    ],
    ["another width", () => new FeaturizedIntervention({ featurizer: new RotationFeaturizer({ width: 4 }), embedDim: 8 }), /made for 4, but what it works on is 8 wide/], // prettier-ignore
    ["a mask beside a choice", () => new MaskedFeaturesIntervention({ featurizer: "rotation", embedDim: 8, interchangeDim: 3 }), /its mask says which dimensions change: leave out interchangeDim/], // prettier-ignore
    ["a feature that is not there", () => new FeaturizedIntervention({ featurizer: "identity", embedDim: 8, interchangeDim: [3, 8] }), /interchangeDim 8 is more than the 8 features/], // prettier-ignore
    ["features of another number", () => new FeaturizedIntervention({ featurizer: "identity", embedDim: 8, sourceFeatures: zeros([3]) }), /sourceFeatures must be \[8\], got \[3\]/], // prettier-ignore
    ["another mode", () => new FeaturizedIntervention({ featurizer: "identity", embedDim: 8, mode: "swap" as never }), /mode must be one of "interchange", "add", "subtract"; got "swap"/], // prettier-ignore
    [
      "a name that is taken",
      () => registerFeaturizer("rotation", Pairs),
      /rotation is the kind of another class/,
    ],
    [
      "no class",
      () => registerFeaturizer("mine", Tensor as never),
      /expected a class that extends Featurizer/,
    ],
  ])("%s", (_name, build, message) => {
    expect(build).toThrow(message);
  });

  test.each([
    ["a class without a name", new Unnamed({ width: 24 }), /Unnamed is not registered/],
    [
      "a weight of one pass",
      new RotationFeaturizer({ weight: randn([24, 24]) }),
      /computed in one pass/,
    ],
  ])("saving %s", async (_name, featurizer, message) => {
    const intervention = FeaturizedIntervention.with({ featurizer });
    const intervenable = new IntervenableModel({ layer: 1, intervention }, tinyGpt2());
    await expect(intervenable.save(path.join(folder, "refused"))).rejects.toThrow(message);
  });
});

describe("another of its size, drawn at random", () => {
  const drawn = <T extends Intervention>(from: T, to: T): T => {
    to.takeSize?.(from, new Generator(4));
    return to;
  };

  test("is another featuriser where it is learned, else other features of the same, or directions", async () => {
    const learned = new FeaturizedIntervention({
      featurizer: "rotation",
      embedDim: 8,
      interchangeDim: 3,
    });
    const made = (from: FeaturizedIntervention) =>
      drawn(from, new FeaturizedIntervention(Intervention.optionsOf(from) as FeaturizedOptions));
    const h = normal(2, 8);
    expect(
      await distance(made(learned).featurizer.encode(h), learned.featurizer.encode(h)),
    ).toBeGreaterThan(0.1);
    const pca = await PCAFeaturizer.fit(samples);
    const fixed = new FeaturizedIntervention({ featurizer: pca, interchangeDim: [0, 1] });
    expect(await distance(made(fixed).featurizer.encode(h), pca.encode(h))).toBe(0);
    expect(made(fixed).interchangeDim).not.toStrictEqual([0, 1]);
    expect(made(fixed).interchangeDim).toHaveLength(2);
    const directions = tensor([0.6, 0.8, 0, 0, 0, 0, 0, 0]);
    const along = new FeaturizedIntervention({
      featurizer: { kind: "directions", directions },
      embedDim: 8,
    });
    const other = (made(along).featurizer as DirectionsFeaturizer).weight;
    expect(await other.square().sum().item()).toBeCloseTo(1, 5);
    expect(await distance(other.squeeze(1), directions)).toBeGreaterThan(0.1);
  });

  test("is as many features of a mask", async () => {
    const make = (): MaskedFeaturesIntervention =>
      new MaskedFeaturesIntervention({ featurizer: "identity", embedDim: 8 });
    const mask = make();
    mask.masks.set(tensor([1, 1, 1, -1, -1, -1, -1, -1]));
    const other = (await drawn(mask, make()).decisions().toArray()) as number[];
    expect(other.filter((decided) => decided === 1)).toHaveLength(3);
    expect(other).not.toStrictEqual([1, 1, 1, 0, 0, 0, 0, 0]);
  });
});
