import { describe, expect, test } from "vitest";
import { Generator } from "../../tensor/generator.ts";
import { changesLogits, draw, likeliest, scoresOf, type ScoreSettings } from "./scores.ts";

const NOTHING: ScoreSettings = {
  repetitionPenalty: 1,
  minNewTokens: 0,
  eosTokenIds: new Set([3]),
  temperature: 1,
  topK: 0,
  topP: 1,
};

const LOGITS = Float32Array.of(2, -1, 0.5, 4);

function scores(settings: Partial<ScoreSettings>, logits = LOGITS, ids: number[] = []): number[] {
  return [...scoresOf(logits, ids, 0, { ...NOTHING, ...settings })];
}

describe("scoresOf", () => {
  test("leaves logits as they are without settings, and never writes to them", () => {
    expect(scores({})).toEqual([2, -1, 0.5, 4]);
    scores({ temperature: 2, topK: 1, repetitionPenalty: 3 }, LOGITS, [0]);
    expect([...LOGITS]).toEqual([2, -1, 0.5, 4]);
  });

  test("divides positive and multiplies negative logits of tokens that occurred, once each", () => {
    expect(scores({ repetitionPenalty: 2 }, LOGITS, [0, 1, 1, 0])).toEqual([1, -2, 0.5, 4]);
  });

  test("forbids stop tokens until the text is long enough", () => {
    expect(scores({ minNewTokens: 1 })).toEqual([2, -1, 0.5, -Infinity]);
    expect([...scoresOf(LOGITS, [], 1, { ...NOTHING, minNewTokens: 1 })]).toEqual([...LOGITS]);
  });

  test("applies the temperature after the penalty", () => {
    const given = { repetitionPenalty: 2, temperature: 0.5 };
    expect(scores(given, LOGITS, [3])).toEqual([4, -2, 1, 4]);
  });

  test("keeps the k likeliest tokens and those equal to the last of them", () => {
    expect(scores({ topK: 2 })).toEqual([2, -Infinity, -Infinity, 4]);
    expect(scores({ topK: 2 }, Float32Array.of(1, 3, 1, 0))).toEqual([1, 3, 1, -Infinity]);
    expect(scores({ topK: 9 })).toEqual([...LOGITS]);
  });

  test.each([
    [0.95, [true, true, true, true]],
    [0.8, [false, true, true, true]],
    [0.7, [false, false, true, true]],
    [0.4, [false, false, false, true]],
    [1e-9, [false, false, false, true]],
  ])("keeps the likeliest tokens that make up a probability of %f", (topP, kept) => {
    const logits = Float32Array.from([0.1, 0.15, 0.25, 0.5], Math.log);
    expect(scores({ topP }, logits).map(Number.isFinite)).toEqual(kept);
  });

  test("of equally likely tokens the first ones go", () => {
    const kept = scores({ topP: 0.6 }, Float32Array.of(1, 1, 1, 1)).map(Number.isFinite);
    expect(kept).toEqual([false, true, true, true]);
  });

  test("limits the probability among what top-k left", () => {
    const logits = Float32Array.from([0.1, 0.15, 0.25, 0.5], Math.log);
    const kept = scores({ topK: 2, topP: 0.6 }, logits).map(Number.isFinite);
    expect(kept).toEqual([false, false, false, true]);
  });
});

test("changesLogits tells whether the device's choice would be another", () => {
  expect(changesLogits(NOTHING)).toBe(false);
  expect(changesLogits({ ...NOTHING, minNewTokens: 2, eosTokenIds: new Set() })).toBe(false);
  for (const change of [{ minNewTokens: 2 }, { repetitionPenalty: 1.1 }, { topK: 3 }]) {
    expect(changesLogits({ ...NOTHING, ...change })).toBe(true);
  }
});

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
