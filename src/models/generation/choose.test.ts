import { describe, expect, test } from "vitest";
import { Generator } from "../../tensor/random/generator.ts";
import { draw, drawSeveral, likeliest } from "./choose.ts";

test("likeliest takes the first of equals", () => {
  expect(likeliest(Float32Array.of(-3, 2, 2, -Infinity))).toBe(1);
});

describe("draw", () => {
  test("gives each token its share of the interval", () => {
    const weights = Float32Array.from([0.25, 0, 0.5, 0.25], Math.log);
    const drawn = [0, 0.24, 0.26, 0.74, 0.76, 1 - 2 ** -53].map((u) => draw(weights, u));
    expect(drawn).toEqual([0, 0, 2, 2, 3, 3]);
  });

  test("never gives a token that was ruled out", () => {
    expect(draw(Float32Array.of(0, -Infinity), 1 - 2 ** -53)).toBe(0);
    expect(draw(Float32Array.of(-Infinity, 5, -Infinity), 0)).toBe(1);
  });

  test("follows the probabilities", () => {
    const generator = new Generator(5);
    const weights = Float32Array.from([0.7, 0.2, 0.1], Math.log);
    const drawn = new Int32Array(3);
    for (let i = 0; i < 20_000; i++) {
      const token = draw(weights, generator.uniform());
      drawn[token] = (drawn[token] ?? 0) + 1;
    }
    const shares = Array.from(drawn, (n) => n / 20_000);
    // Three standard deviations of the rarest are 0.0064.
    [0.7, 0.2, 0.1].forEach((p, i) => expect(Math.abs((shares[i] ?? 0) - p)).toBeLessThan(0.01));
  });
});

describe("drawSeveral", () => {
  test("draws different indices, of which the first follows the probabilities", () => {
    const generator = new Generator(6);
    const scores = [0.7, 0.2, 0.1].map(Math.log);
    const pairs = Array.from({ length: 20_000 }, () =>
      drawSeveral(scores, 2, () => generator.uniform()),
    );
    expect(pairs.every(([a, b]) => a !== b)).toBe(true);
    const share = (wanted: string): number =>
      pairs.filter((pair) => String(pair) === wanted).length / pairs.length;
    // The second is drawn among what the first left.
    expect(Math.abs(share("0,1") - 0.7 * (0.2 / 0.3))).toBeLessThan(0.011);
    expect(Math.abs(share("2,0") - 0.1 * (0.7 / 0.9))).toBeLessThan(0.011);
  });

  test("takes what is impossible last", () => {
    expect(drawSeveral([-Infinity, 0, -1e9], 3, () => 0.5)).toEqual([1, 0, 2]);
  });
});
