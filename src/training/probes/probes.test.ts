import { describe, expect, test } from "vitest";
import "../../runtime/index.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { Generator, randn } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { probeScore } from "./cross-validate.ts";
import { kMeansDirection, ldaDirection, meanDifference, contrastDirection, pcaDirection } from "./directions.ts"; // prettier-ignore
import { logisticProbe } from "./logistic-probe.ts";
import { ridgeProbe } from "./ridge-probe.ts";

const generator = new Generator(7);
const normal = (...shape: number[]): Tensor => randn(shape, { generator });

async function numbers(x: Tensor): Promise<number[]> {
  return Array.from(await x.data(), Number);
}

/** Samples of two classes, which differ along one direction, and are spread along another. */
const along = tensor([0.6, 0.8, 0, 0]);
const spread = tensor([0, 0, 5, 1]);
const plus = normal(80, 4).mul(0.3).add(along).add(normal(80, 1).mul(spread));
const minus = normal(80, 4).mul(0.3).sub(along).add(normal(80, 1).mul(spread));
const labelled = {
  x: stackRows(plus, minus),
  labels: Array.from({ length: 160 }, (_, i) => i < 80),
};

function stackRows(a: Tensor, b: Tensor): Tensor {
  return a.unsqueeze(0).expand([2, 80, 4]).mul(tensor([1, 0]).reshape([2, 1, 1])).add(b.unsqueeze(0).expand([2, 80, 4]).mul(tensor([0, 1]).reshape([2, 1, 1]))).flatten(0, 1); // prettier-ignore
}

describe("a logistic probe", () => {
  test("is where the gradient of the penalised cross entropy vanishes", async () => {
    const x = [[0.5, 1.5], [2.0, -1.0], [-1.0, 0.3], [0.2, -2.0], [1.1, 0.9], [-0.4, -0.7]]; // prettier-ignore
    const y = [1, 1, 0, 0, 1, 0];
    const l2 = 0.1;
    const probe = await logisticProbe(tensor(x), y, { l2, tolerance: 1e-9 });
    expect(probe.converged).toBe(true);
    const weight = (await probe.weight.toArray()) as number[][];
    const bias = (await probe.bias.toArray()) as number[];
    const column = (d: number): number[] => x.map((row) => row[d] ?? 0);
    const moments = [0, 1].map((d) => {
      const mean = column(d).reduce((a, b) => a + b, 0) / x.length;
      return {
        mean,
        std: Math.sqrt(column(d).reduce((a, b) => a + (b - mean) ** 2, 0) / x.length),
      };
    });
    const shares = x.map((row) => {
      const out = [0, 1].map((c) => Math.exp((bias[c] ?? 0) + row.reduce((s, v, d) => s + v * (weight[d]?.[c] ?? 0), 0))); // prettier-ignore
      return (out[1] ?? 0) / ((out[0] ?? 0) + (out[1] ?? 0));
    });
    for (const [d, { mean, std }] of moments.entries()) {
      const data = x.reduce((sum, row, i) => sum + ((shares[i] ?? 0) - (y[i] ?? 0)) * (((row[d] ?? 0) - mean) / std), 0) / x.length; // prettier-ignore
      expect(data + l2 * (weight[d]?.[1] ?? 0) * std).toBeCloseTo(0, 5);
    }
    expect(shares.reduce((sum, share, i) => sum + share - (y[i] ?? 0), 0)).toBeCloseTo(0, 5);
  });

  test("gives the same numbers again, and a direction from the first class to the second", async () => {
    const probe = await logisticProbe(labelled.x, labelled.labels);
    const again = await logisticProbe(labelled.x, labelled.labels);
    expect(await numbers(probe.weight)).toStrictEqual(await numbers(again.weight));
    expect(await probe.accuracy(labelled.x, labelled.labels)).toBeGreaterThan(0.97);
    const direction = await probe.direction();
    expect(await direction.square().sum().item()).toBeCloseTo(1, 5);
    expect(await direction.mul(along).sum().item()).toBeGreaterThan(0.9);
    const back = await probe.direction(false);
    expect(await back.add(direction).abs().amax().item()).toBeLessThan(1e-6);
  });

  test("tells several classes", async () => {
    const centres = tensor([[2, 0, 0], [0, 2, 0], [0, 0, 2]]); // prettier-ignore
    const names = ["red", "green", "blue"];
    const which = Array.from({ length: 90 }, (_, i) => i % 3);
    const x = centres.indexSelect(0, which).add(normal(90, 3).mul(0.2));
    const labels = which.map((i) => names[i] ?? "");
    const probe = await logisticProbe(x.unsqueeze(1), labels);
    expect(probe.classes).toStrictEqual(["blue", "green", "red"]);
    expect(await probe.accuracy(x, labels)).toBe(1);
  });
});

test("a ridge probe solves its equations", async () => {
  const x = normal(50, 3);
  const y = x.matmul(tensor([[1], [-2], [0.5]])).add(3).add(normal(50, 1).mul(0.1)); // prettier-ignore
  const probe = await ridgeProbe(x, y, { l2: 1e-8 });
  const weight = await numbers(probe.weight);
  expect(weight).toStrictEqual([1, -2, 0.5].map((w): unknown => expect.closeTo(w, 1)));
  // What is left over has no mean, and is at right angles to each dimension.
  const left = y.sub(probe.outputs(x));
  expect(await left.mean().abs().item()).toBeLessThan(1e-5);
  expect(await left.mul(x).mean({ dim: 0 }).abs().amax().item()).toBeLessThan(1e-5);
  expect(await probe.r2(x, y)).toBeGreaterThan(0.99);
  const stiff = await numbers((await ridgeProbe(x, y, { l2: 10 })).weight);
  expect(Math.abs(stiff[1] ?? 0)).toBeLessThan(0.5);
});

describe("the accuracy of probes", () => {
  test("is of samples that they were not fitted on, beside a control", async () => {
    const score = await probeScore(labelled.x, labelled.labels);
    expect(score.accuracy).toBeGreaterThan(0.95);
    expect(score.interval[0]).toBeLessThan(score.accuracy);
    expect(score.interval[1]).toBeGreaterThanOrEqual(score.accuracy);
    expect(Math.abs(score.control - 0.5)).toBeLessThan(0.15);
    expect(score.selectivity).toBeCloseTo(score.accuracy - score.control, 10);
    expect([score.majority, score.n]).toStrictEqual([0.5, 160]);
    expect(await probeScore(labelled.x, labelled.labels)).toStrictEqual(score);
  });

  test("of noise is that of guessing, however well a probe fits it", async () => {
    const [x, labels] = [normal(60, 50), Array.from({ length: 60 }, (_, i) => i % 2)];
    expect(await (await logisticProbe(x, labels)).accuracy(x, labels)).toBeGreaterThan(0.95);
    expect((await probeScore(x, labels)).accuracy).toBeLessThan(0.75);
  });

  test("knows nothing of a group by heart", async () => {
    // Each of 20 words has a vector of its own, which says nothing of its class but by heart.
    const words = Array.from({ length: 100 }, (_, i) => i % 20);
    const x = normal(20, 40).indexSelect(0, words).add(normal(100, 40).mul(0.01));
    const labels = words.map((word) => word % 2 === 0);
    expect((await probeScore(x, labels)).accuracy).toBeGreaterThan(0.95);
    expect((await probeScore(x, labels, { groups: words })).accuracy).toBeLessThan(0.8);
  });
});

describe("directions", () => {
  const cosine = async (found: Tensor): Promise<number> => found.mul(along).sum().item();
  const unit = async (found: Tensor): Promise<void> =>
    expect(await found.square().sum().item()).toBeCloseTo(1, 5);

  test("lead from one set to the other", async () => {
    const clean = normal(80, 4).mul(0.1);
    for (const find of [meanDifference, contrastDirection]) {
      const direction = await find(clean.add(along), clean.sub(along));
      await unit(direction);
      expect(await cosine(direction)).toBeCloseTo(1, 4);
    }
    // Noise that both sets have leads a mean astray, and not a discriminant.
    expect(await cosine(await ldaDirection(plus, minus))).toBeGreaterThan(0.97);
  });

  test("of pairs count each pair once, whatever its length", async () => {
    const from = normal(2, 2).mul(0);
    const direction = await contrastDirection(tensor([[100, 0], [0, 1]]), from); // prettier-ignore
    expect(await numbers(direction)).toStrictEqual([expect.closeTo(Math.SQRT1_2, 5), expect.closeTo(Math.SQRT1_2, 5)]); // prettier-ignore
  });

  test("are where activations vary most, and between their clusters", async () => {
    const x = normal(100, 1).mul(tensor([0, 3, 0, 4])).add(normal(100, 4).mul(0.1)); // prettier-ignore
    const first = await pcaDirection(x);
    expect(
      Math.abs(
        await first
          .mul(tensor([0, 0.6, 0, 0.8]))
          .sum()
          .item(),
      ),
    ).toBeGreaterThan(0.99);
    const pairs = normal(50, 4).mul(0.1).add(along);
    expect(await cosine(await pcaDirection(pairs, { center: false }))).toBeGreaterThan(0.98);
    const apart = stackRows(normal(80, 4).mul(0.2).add(along.mul(3)), normal(80, 4).mul(0.2));
    expect(Math.abs(await cosine(await kMeansDirection(apart)))).toBeGreaterThan(0.99);
  });
});

describe("what cannot be", () => {
  const x = normal(6, 3);
  const labels = [0, 1, 0, 1, 0, 1];
  test.each<readonly [string, () => Promise<unknown>, RegExp]>([
    [
      "no activations",
      () => logisticProbe(normal(6), labels),
      /x must be activations \[\.\.\., width\].*got \[6\]/,
    ],
    ["labels of fewer", () => logisticProbe(x, [0, 1]), /2 labels for 6 samples/],
    ["one class", () => logisticProbe(x, [1, 1, 1, 1, 1, 1]), /all labels are 1; .* two classes/],
    ["not finite", () => logisticProbe(x.mul(Infinity), labels), /not finite, in sample 0/],
    [
      "a negative l2",
      () => logisticProbe(x, labels, { l2: -1 }),
      /l2 must be a number of 0 or more, got -1/,
    ],
    ["another name", () => logisticProbe(x, labels, { L2: 1 } as never), /there is no option L2/],
    ["no l2", () => ridgeProbe(x, x.select(1, 0), { l2: 0 }), /l2 must be a number above 0/],
    [
      "targets of fewer",
      () => ridgeProbe(x, normal(5)),
      /targets must be \[6\] or \[6, outputs\].*got \[5\]/,
    ],
    ["more folds than samples", () => probeScore(x, labels, { folds: 7 }), /folds must be a whole number from 2 to the 6 samples, got 7/], // prettier-ignore
    ["groups of fewer", () => probeScore(x, labels, { groups: [1] }), /1 groups for 6 samples/],
    [
      "a class in one part",
      () => probeScore(x, [0, 0, 0, 0, 0, 1], { folds: 6 }),
      /all samples are of one class/,
    ],
    ["the same sets", () => meanDifference(x, x), /there is no direction/],
    ["sets of other widths", () => meanDifference(x, normal(6, 2)), /width 3 and 2/],
    [
      "pairs without partners",
      () => contrastDirection(x, normal(4, 3)),
      /as many samples on both sides, got 6 and 4/,
    ],
    ["no class of that name", async () => (await logisticProbe(x, labels)).direction(3), /there is no class 3; there are 0, 1/], // prettier-ignore
  ])("%s", async (_name, run, message) => {
    await expect(run()).rejects.toThrow(message);
  });
});
