import { describe, expect, test } from "vitest";
import "../../runtime/index.ts";
import { grad } from "../../tensor/autograd.ts";
import { ones, tensor } from "../../tensor/functions/creation.ts";
import { Generator } from "../../tensor/random/random.ts";
import { channelDropout, dropout } from "./dropout.ts";

const seeded = (seed: number): { generator: Generator } => ({ generator: new Generator(seed) });

describe("dropout", () => {
  test("zeroes about the given share and scales the rest, so that the mean stays", async () => {
    const values = Array.from(await dropout(ones([10_000]), 0.2, seeded(1)).data(), Number);
    const share = values.filter((v) => v === 0).length / values.length;
    expect(Math.abs(share - 0.2)).toBeLessThan(0.02);
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.8)]));
  });
  test("repeats with the same generator and differs with another", async () => {
    const run = async (seed: number): Promise<number[]> =>
      Array.from(await dropout(ones([50]), 0.5, seeded(seed)).data(), Number);
    expect(await run(3)).toEqual(await run(3));
    expect(await run(3)).not.toEqual(await run(4));
  });
  test("is the identity when not training or for p = 0, and zero for p = 1", async () => {
    const x = tensor([1, -2]);
    expect(dropout(x, 0.9, { training: false })).toBe(x);
    expect(dropout(x, 0)).toBe(x);
    expect(await dropout(x, 1).toArray()).toEqual([0, -0]);
  });
  test("lets the gradient through where values stay", async () => {
    const x = ones([20]);
    const y = dropout(x, 0.5, seeded(2));
    const [g] = grad(y.sum(), [x]);
    expect(await g.toArray()).toEqual(await dropout(x, 0.5, seeded(2)).toArray());
  });
  test("of channels keeps or drops them whole", async () => {
    const y = channelDropout(ones([4, 8, 3]), 0.5, seeded(5));
    for (const channel of await y.reshape([32, 3]).toArray(2)) {
      expect(new Set(channel).size).toBe(1);
    }
    expect(() => channelDropout(ones([3]))).toThrow(/channelDropout: .*\[3\]/);
  });
});
