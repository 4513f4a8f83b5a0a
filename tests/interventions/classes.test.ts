import { describe, expect, test } from "vitest";
import {
  Adam,
  arange,
  AutoencoderIntervention,
  BoundlessRotatedSpaceIntervention,
  evaluate,
  eye,
  Generator,
  grad,
  type Intervention,
  type InterventionOptions,
  JumpReLUAutoencoderIntervention,
  LowRankRotatedSpaceIntervention,
  NoiseIntervention,
  PCARotatedSpaceIntervention,
  randn,
  RotatedSpaceIntervention,
  SigmoidMaskIntervention,
  SigmoidMaskRotatedSpaceIntervention,
  Tensor,
  tensor,
  VanillaIntervention,
  zeros,
} from "tsvene";

const WIDTH = 8;
const generator = new Generator(11);
const normal = (...shape: number[]): Tensor => randn(shape, { generator });

async function distance(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

function outputOf(result: ReturnType<Intervention["forward"]>): Tensor {
  if (result === undefined) throw new Error("it returned nothing");
  return result instanceof Tensor ? result : result.output;
}

/** Gives every parameter random values, so that nothing is at a special point. */
function shaken<T extends Intervention>(intervention: T): T {
  for (const parameter of intervention.parameters()) {
    parameter.set(parameter.value.add(normal(...parameter.shape).mul(0.3)));
  }
  return intervention;
}

const options = { embedDim: WIDTH } as const;
const samples = normal(50, WIDTH);
const pca = await PCARotatedSpaceIntervention.fit(samples);
const firstComponents = await PCARotatedSpaceIntervention.fit(samples, { interchangeDim: 3 });
const kinds: readonly (readonly [string, () => Intervention])[] = [
  ["vanilla", () => new VanillaIntervention({ ...options, interchangeDim: 3 })],
  ["rotated", () => new RotatedSpaceIntervention({ ...options, interchangeDim: 3 })],
  ["low rank", () => new LowRankRotatedSpaceIntervention({ ...options, lowRankDimension: 3 })],
  ["boundless", () => new BoundlessRotatedSpaceIntervention(options)],
  ["sigmoid mask", () => new SigmoidMaskIntervention(options)],
  ["rotated sigmoid mask", () => new SigmoidMaskRotatedSpaceIntervention(options)],
  ["PCA", () => firstComponents],
  [
    "JumpReLU with error term",
    () => new JumpReLUAutoencoderIntervention({ ...options, latentDim: 20, errorTerm: true }),
  ],
];

describe("a source equal to the base", () => {
  test.each(kinds)("changes nothing: %s", async (_name, build) => {
    const intervention = shaken(build());
    const base = normal(4, WIDTH);
    expect(await distance(outputOf(intervention.forward(base, base)), base)).toBeLessThan(1e-5);
  });

  test("gives the reconstruction of an autoencoder", async () => {
    const intervention = shaken(new AutoencoderIntervention({ ...options, latentDim: 20 }));
    const base = normal(4, WIDTH);
    const { output, latent } = intervention.forward(base, base);
    const { autoencoder } = intervention;
    expect(await distance(output, autoencoder.forward(base))).toBe(0);
    expect(await distance(latent ?? output, autoencoder.encode(base))).toBe(0);
  });
});

describe("gradients are those of finite differences", () => {
  const autoencoder = { ...options, latentDim: 20, interchangeDim: [1, 5, 6, 11, 19] };
  const all = [
    // A jumping ReLU has no differences to compare with; its gradients are compared with torch's.
    ...kinds.filter(([name]) => !name.startsWith("JumpReLU")),
    ["autoencoder", () => new AutoencoderIntervention(autoencoder)],
    ["noise", () => new NoiseIntervention(options)],
  ] as const;
  test.each(all)("%s", async (_name, build) => {
    const intervention = shaken(build());
    if (intervention.temperature !== undefined) intervention.setTemperature(2);
    const [base, source, weights] = [normal(4, WIDTH), normal(4, WIDTH), normal(4, WIDTH)];
    const other = intervention.sourceUse === "none" ? undefined : source;
    const lossAt = (b: Tensor): Tensor =>
      outputOf(intervention.forward(b, other)).mul(weights).sum();
    const trained = intervention.parameters();
    const gradients = grad(lossAt(base), [base, ...trained.map(({ value }) => value)]);
    await evaluate(...gradients);
    const step = 1e-2;
    const slope = async (move: (amount: number) => Tensor): Promise<number> => {
      const [up, down] = [move(step), move(-step)];
      await evaluate(up, down);
      return ((await up.item()) - (await down.item())) / (2 * step);
    };
    const expectSlope = async (g: Tensor, direction: Tensor, found: number): Promise<void> => {
      const wanted = await g.mul(direction).sum().item();
      expect(Math.abs(found - wanted)).toBeLessThan(0.03 * Math.abs(wanted) + 0.02);
    };
    const towards = normal(4, WIDTH).mul(0.3);
    const [ofBase] = gradients;
    if (ofBase === undefined) throw new Error("there is no gradient");
    await expectSlope(ofBase, towards, await slope((e) => lossAt(base.add(towards.mul(e)))));
    for (const [i, parameter] of trained.entries()) {
      const { value } = parameter;
      const direction = normal(...value.shape).mul(0.3);
      const found = await slope((e) => {
        parameter.set(value.add(direction.mul(e)));
        const loss = lossAt(base);
        parameter.set(value);
        return loss;
      });
      await expectSlope(gradients[i + 1] ?? value, direction, found);
    }
  });
});

describe("subspaces", () => {
  const partition = [{ from: 0, to: 3 }, [3, 4, 5, 6, 7]];
  const lowRank = { lowRankDimension: WIDTH };
  type Built = VanillaIntervention | RotatedSpaceIntervention | LowRankRotatedSpaceIntervention;
  test.each<readonly [string, (more: InterventionOptions) => Built]>([
    ["vanilla", (more) => new VanillaIntervention(more)],
    ["rotated", (more) => new RotatedSpaceIntervention(more)],
    ["low rank", (more) => new LowRankRotatedSpaceIntervention({ ...more, ...lowRank })],
  ])("a part of a partition is its dimensions: %s", async (_name, build) => {
    const plain = shaken(build(options));
    const parted = build({ ...options, subspacePartition: partition });
    parted.loadStateDict(plain.stateDict());
    const [base, source] = [normal(10, WIDTH), normal(10, WIDTH)];
    const byPart = parted.forward(base, source, { subspaces: 0 });
    const byDims = plain.forward(base, source, { subspaces: [0, 1, 2] });
    expect(await distance(byPart, byDims)).toBe(0);
    expect(await distance(byPart, base)).toBeGreaterThan(0.1);
    const rest = parted.forward(byPart, source, { subspaces: 1 });
    expect(await distance(rest, plain.forward(base, source))).toBeLessThan(1e-5);
  });

  test("each row has its own, in rotated coordinates too", async () => {
    const rotation = shaken(new RotatedSpaceIntervention(options));
    const [base, source] = [normal(2, WIDTH), normal(2, WIDTH)];
    const both = rotation.forward(base, source, { subspaces: [[0, 4], [7]] });
    for (const [row, dims] of [[0, 4], [7]].entries()) {
      const part = (x: Tensor): Tensor => x.slice(0, row, row + 1);
      const alone = rotation.forward(part(base), part(source), { subspaces: dims });
      expect(await distance(part(both), alone)).toBeLessThan(1e-6);
    }
  });

  test("dimensions set later are what is swapped", async () => {
    const vanilla = new VanillaIntervention(options);
    const [base, source] = [zeros([1, 4]), arange(1, 5).to("float32").reshape([1, 4])];
    vanilla.setInterchangeDim(2);
    expect(await vanilla.forward(base, source).toArray()).toStrictEqual([[1, 2, 0, 0]]);
    vanilla.setInterchangeDim([1, 3]);
    expect(vanilla.interchangeDim).toStrictEqual([1, 3]);
    expect(await vanilla.forward(base, source).toArray()).toStrictEqual([[0, 2, 0, 4]]);
    expect(() => vanilla.setInterchangeDim([1, -1])).toThrow(
      "VanillaIntervention: interchangeDim must be a whole number of 0 or more, got -1",
    );
  });

  test("a low rank counts directions", async () => {
    const low = shaken(new LowRankRotatedSpaceIntervention({ ...options, lowRankDimension: 3 }));
    const [base, source] = [normal(2, WIDTH), normal(2, WIDTH)];
    const first = low.forward(base, source, { subspaces: [0] });
    low.setInterchangeDim(1);
    expect(await distance(low.forward(base, source), first)).toBe(0);
    expect(() => low.forward(base, source, { subspaces: [3] })).toThrow("0 to 2");
  });

  test.each([
    ["boundless", BoundlessRotatedSpaceIntervention],
    ["sigmoid mask", SigmoidMaskIntervention],
    ["rotated sigmoid mask", SigmoidMaskRotatedSpaceIntervention],
  ])("are refused where a mask decides: %s", (_name, Kind) => {
    const x = normal(2, WIDTH);
    const intervention = new Kind(options);
    expect(() => intervention.forward(x, x, { subspaces: [0] })).toThrow(
      "it takes no subspaces; pass null",
    );
    expect(intervention.forward(x, x, { subspaces: null }).shape).toStrictEqual([2, WIDTH]);
  });
});

describe("masks", () => {
  test("the initial boundless mask lets about a quarter of the source in", async () => {
    const boundless = new BoundlessRotatedSpaceIntervention({ embedDim: 6 });
    const base = arange(0, 12).to("float32").reshape([2, 6]);
    const mixed = await boundless.forward(base, base.add(12)).sub(base).data();
    for (const value of mixed) expect(Number(value)).toBeCloseTo(12 * 0.2575, 1);
    const share = await boundless.shares().data();
    share.forEach((m, i) => {
      const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
      expect(Number(m)).toBeCloseTo(sigmoid(i / 50) * sigmoid((3 - i) / 50), 5);
    });
  });

  test("temperatures are settings: not trained, and set in place", async () => {
    const mask = new SigmoidMaskRotatedSpaceIntervention(options);
    expect(mask.parameters().map(({ shape }) => shape)).not.toContainEqual([]);
    expect(await mask.shares().data()).toHaveLength(WIDTH);
    expect(Number((await mask.shares().data())[0])).toBeCloseTo(0.8808, 4);
    mask.setTemperature(0.1);
    expect(Number((await mask.shares().data())[0])).toBe(1);
    for (const wrong of [0, -1, NaN, Infinity]) {
      expect(() => mask.setTemperature(wrong)).toThrow("must be a positive number");
    }
    expect(() => new VanillaIntervention().setTemperature(1)).toThrow(
      "VanillaIntervention: it has no temperature",
    );
  });

  test("a boundary can be set, and is clamped", async () => {
    const boundless = new BoundlessRotatedSpaceIntervention(options);
    boundless.setTemperature(0.01);
    boundless.setInterventionBoundaries(0.5);
    const shares = await boundless.shares().toArray();
    expect(shares).toStrictEqual([0.5, 1, 1, 1, 0.5, 0, 0, 0]);
    boundless.setInterventionBoundaries(-3);
    expect(Number((await boundless.shares().data())[1])).toBe(0);
    expect(() => boundless.setInterventionBoundaries(NaN)).toThrow("expected a number");
  });

  test("a penalty brings back a boundary that is beyond all dimensions", async () => {
    const boundless = new BoundlessRotatedSpaceIntervention(options);
    const at = async (boundary: number) => {
      boundless.setInterventionBoundaries(boundary);
      const [{ value }, penalty] = [boundless.intervention_boundaries, boundless.boundary()];
      const gradients = [penalty.sum(), boundless.shares().sum()].map((loss) =>
        grad(loss, [value])[0].item(),
      );
      return Promise.all([penalty.item(), ...gradients]);
    };
    const [inside, beyond, below] = [await at(0.5), await at(1.25), await at(-0.5)];
    expect(inside.slice(0, 2)).toStrictEqual([0.5, 1]);
    expect(inside[2]).toBeGreaterThan(0);
    expect(beyond).toStrictEqual([1, 1, 0]);
    expect(below).toStrictEqual([Math.fround(0.001), 0, 0]);
  });

  test("which dimensions to swap is learned", async () => {
    const mask = new SigmoidMaskIntervention({ embedDim: 6 });
    mask.setTemperature(1);
    const [base, source] = [normal(16, 6), normal(16, 6)];
    const swapped = new VanillaIntervention();
    const wanted = swapped.forward(base, source, { subspaces: [2, 3, 4, 5] });
    const optimizer = new Adam(mask.parameters(), { lr: 0.2 });
    for (let i = 0; i < 100; i++) {
      await optimizer.step(mask.forward(base, source).sub(wanted).square().mean());
    }
    const learned = (await mask.shares().toArray(1)).map(Math.round);
    expect(learned).toStrictEqual([0, 0, 1, 1, 1, 1]);
  });

  test("a direction to swap is learned", async () => {
    const low = new LowRankRotatedSpaceIntervention({ embedDim: 4, lowRankDimension: 1 });
    const direction = tensor([[0.6], [0], [0.8], [0]]);
    const [base, source] = [normal(16, 4), normal(16, 4)];
    const wanted = base.add(source.sub(base).matmul(direction).matmul(direction.t()));
    await evaluate(base, source, wanted);
    const optimizer = new Adam(low.parameters(), { lr: 0.05 });
    for (let i = 0; i < 200; i++) {
      await optimizer.step(low.forward(base, source).sub(wanted).square().mean());
    }
    const cosine = await low.rotate_layer.weight.mul(direction).sum().abs().item();
    expect(cosine).toBeGreaterThan(0.99);
  });
});

describe("noise", () => {
  const base = zeros([3, 40, WIDTH]);

  test("is normal, of the given level, and the same for the same seed", async () => {
    const first = new NoiseIntervention({ noiseLevel: 0.5, seed: 3 }).forward(base);
    const again = new NoiseIntervention({ noiseLevel: 0.5, seed: 3 }).forward(base);
    const other = new NoiseIntervention({ noiseLevel: 0.5, seed: 4 }).forward(base);
    expect(await distance(first, again)).toBe(0);
    expect(await distance(first, other)).toBeGreaterThan(0.5);
    expect(await distance(first.select(0, 0), first.select(0, 1))).toBeGreaterThan(0.5);
    expect(await first.square().mean().sqrt().item()).toBeCloseTo(0.5, 1);
    expect(await first.mean().abs().item()).toBeLessThan(0.05);
  });

  test("is added to the selected dimensions", async () => {
    const noise = new NoiseIntervention({ interchangeDim: 2 });
    const changed = await noise
      .forward(base)
      .ne(0)
      .to("float32")
      .mean({ dim: [0, 1] })
      .toArray();
    expect(changed).toStrictEqual([1, 1, 0, 0, 0, 0, 0, 0]);
    expect(() => new NoiseIntervention({ noiseLevel: -1 })).toThrow("number of 0 or more");
  });

  test("may be one's own", async () => {
    const own = normal(1, 2, 4);
    const noise = new NoiseIntervention({ noise: own, noiseLevel: 1 });
    const result = noise.forward(zeros([3, 2, 4]));
    expect(await distance(result, own.expand([3, 2, 4]))).toBe(0);
    expect(() => noise.forward(zeros([3, 5, 4]))).toThrow("does not fit a base of [3, 5, 4]");
  });
});

describe("principal components", () => {
  test("are orthonormal, the most important first", async () => {
    const spread = tensor([5, 1, 0.2, 3]);
    const turn = new RotatedSpaceIntervention({ embedDim: 4 }).rotate_layer.weight.detach();
    const x = normal(400, 4).mul(spread).matmul(turn).add(2);
    const fitted = await PCARotatedSpaceIntervention.fit(x, { components: 2 });
    const { pca_components: c, pca_mean: mean, pca_std: std } = fitted;
    expect(c.value.shape).toStrictEqual([2, 4]);
    const scores = x.sub(mean.value).div(std.value).matmul(c.value.t());
    const [first = 0, second = 0] = await scores.square().mean({ dim: 0 }).data();
    expect(Number(first)).toBeGreaterThan(Number(second));
    expect(await distance(c.value.matmul(c.value.t()), eye(2))).toBeLessThan(1e-5);
  });

  test("swap what they span", async () => {
    const [base, source] = [normal(3, WIDTH), normal(3, WIDTH)];
    expect(await distance(pca.forward(base, source), source)).toBeLessThan(1e-5);
    expect(pca.trainable || pca.parameters().length > 0).toBe(false);
  });

  test("are refused where they do not fit", async () => {
    const [components, mean, std] = [zeros([2, 4]), zeros([4]), zeros([3])];
    expect(() => new PCARotatedSpaceIntervention({ components, mean, std })).toThrow(
      "components, mean and std must be [components, 4], [4] and [4], got [2, 4], [4], [3]",
    );
    await expect(PCARotatedSpaceIntervention.fit(zeros([1, 4]))).rejects.toThrow("2 samples");
    await expect(PCARotatedSpaceIntervention.fit(normal(9, 4), { components: 5 })).rejects.toThrow(
      "from 1 to 4, got 5",
    );
  });
});

describe("autoencoders", () => {
  test("swap all latents by default, and the first ones or a list where told", async () => {
    const sae = shaken(new JumpReLUAutoencoderIntervention({ ...options, latentDim: 20 }));
    const [base, source] = [normal(2, 3, WIDTH), normal(2, 3, WIDTH)];
    const { output, latent } = sae.forward(base, source);
    expect(latent?.shape).toStrictEqual([2, 3, 20]);
    expect(await distance(output, sae.decode(sae.encode(source)))).toBe(0);
    sae.setInterchangeDim([4, 17]);
    const some = sae.forward(base, source).latent ?? output;
    const changed = await some
      .ne(sae.encode(base))
      .any({ dim: [0, 1] })
      .toArray();
    const dims = (changed as boolean[]).flatMap((yes, i) => (yes ? [i] : []));
    expect([4, 17]).toEqual(expect.arrayContaining(dims));
    expect(dims.length).toBeGreaterThan(0);
  });

  test("latents below their threshold are zero", async () => {
    const sae = new JumpReLUAutoencoderIntervention({ embedDim: 2, latentDim: 3 });
    sae.W_enc.set(tensor([[1, 1, 1], [0, 0, 0]])); // prettier-ignore
    sae.threshold.set(tensor([0, 0.5, 2]));
    expect(await sae.encode(tensor([[1, 5], [-1, 5]])).toArray()).toStrictEqual([
      [1, 1, 0],
      [0, 0, 0],
    ]); // prettier-ignore
  });

  test("the error term keeps what the code cannot express", async () => {
    const plain = new JumpReLUAutoencoderIntervention({ ...options, latentDim: 4 });
    const exact = new JumpReLUAutoencoderIntervention({
      ...options,
      latentDim: 4,
      errorTerm: true,
    });
    exact.loadStateDict(plain.stateDict());
    const [base, source] = [normal(2, WIDTH), normal(2, WIDTH)];
    const [a, b] = [plain, exact].map((sae) => sae.forward(base, source).output);
    const lost = base.sub(plain.decode(plain.encode(base)));
    if (a === undefined || b === undefined) throw new Error("there is no output");
    expect(await distance(b.sub(a), lost)).toBeLessThan(1e-5);
    expect(await lost.abs().amax().item()).toBeGreaterThan(0.1);
  });

  test("need to know how many latents there are", () => {
    // @ts-expect-error latentDim is missing
    expect(() => new AutoencoderIntervention(options)).toThrow(
      "AutoencoderIntervention: latentDim, the number of latents, must be a whole number",
    );
    // @ts-expect-error latentDim is missing
    expect(() => new JumpReLUAutoencoderIntervention(options)).toThrow("got undefined");
    expect(
      // @ts-expect-error an option of another class
      () => new JumpReLUAutoencoderIntervention({ ...options, latentDim: 3, lowRankDimension: 4 }),
    ).toThrow(
      /JumpReLUAutoencoderIntervention: there is no option lowRankDimension; did you mean /,
    );
  });
});
