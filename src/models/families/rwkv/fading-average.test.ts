import { Generator, rand, randn, type Tensor, zeros } from "tsvene";
import { describe, expect, test } from "vitest";
import { fadingAverage } from "./fading-average.ts";

const generator = new Generator(5);
const normal = (...shape: number[]): Tensor => randn(shape, { generator });
const WIDTH = 3;

async function numbers(x: Tensor): Promise<number[]> {
  return Array.from(await x.data(), Number);
}

describe.each([1, 5, 16, 40])("over %i steps", (steps) => {
  // Keys of 200 would overflow if weights were not divided by the largest.
  test.each([1, 200])("weighs what is older less (keys up to %i)", async (size) => {
    const key = normal(1, steps, WIDTH).mul(size);
    const value = normal(1, steps, WIDTH);
    const [fading, bonus] = [rand([WIDTH], { generator }), normal(WIDTH)];
    const [output, state] = fadingAverage({ key, value, fading, bonus });
    const [k, v, w, u] = await Promise.all([key, value, fading, bonus].map(numbers));
    const actual = await numbers(output);
    for (let t = 0; t < steps; t++) {
      for (let d = 0; d < WIDTH; d++) {
        const scores = Array.from({ length: t + 1 }, (_, s) => {
          const score = k?.[s * WIDTH + d] ?? NaN;
          return score + (s === t ? (u?.[d] ?? NaN) : -(t - 1 - s) * (w?.[d] ?? NaN));
        });
        const most = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - most));
        const total = weights.reduce((a, b) => a + b);
        const sum = weights.reduce((a, b, s) => a + b * (v?.[s * WIDTH + d] ?? NaN), 0);
        expect(actual[t * WIDTH + d]).toBeCloseTo(sum / total, 4);
      }
    }
    const { maximum, denominator } = state;
    expect((await numbers(maximum.add(denominator.log()))).every(Number.isFinite)).toBe(true);
  });

  test("goes on from a state", async () => {
    const key = normal(2, 2 * steps, WIDTH);
    const value = normal(2, 2 * steps, WIDTH);
    const given = { fading: rand([WIDTH], { generator }), bonus: zeros([WIDTH]) };
    const [whole] = fadingAverage({ key, value, ...given });
    const part = (from: number, to: number): { key: Tensor; value: Tensor } => ({
      key: key.slice(1, from, to),
      value: value.slice(1, from, to),
    });
    const [, state] = fadingAverage({ ...part(0, steps), ...given });
    const [rest] = fadingAverage({ ...part(steps, 2 * steps), ...given }, state);
    const wanted = await numbers(whole.slice(1, steps));
    (await numbers(rest)).forEach((x, i) => expect(x).toBeCloseTo(wanted[i] ?? NaN, 5));
  });
});
