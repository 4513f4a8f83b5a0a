import { tensor } from "tsvene";
import { expect, test } from "vitest";
import { alibi, alibiSlopes, requireCounted } from "./alibi.ts";

test("slopes are powers of a half, with every other of twice as many between them", () => {
  expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
  expect(alibiSlopes(6)).toEqual([2, 4, 6, 8, 1, 3].map((i) => 2 ** -i));
  expect(alibiSlopes(1)).toEqual([2 ** -8]);
});

test("padding does not count", async () => {
  const attentionMask = tensor([[0, 0, 1, 1], [1, 1, 1, 1]], { dtype: "int64" }); // prettier-ignore
  const added = alibi({ past: 1, queries: 3, attentionMask }, { heads: 2 });
  expect(added.shape).toEqual([2, 2, 1, 4]);
  expect(await added.mul(16).select(1, 0).select(1, 0).toArray()).toEqual([[0, 0, 0, 1], [0, 1, 2, 3]]); // prettier-ignore
});

test("slopes and products are rounded to bfloat16 where that is asked for", async () => {
  const exact = alibi({ past: 0, queries: 300 }, { heads: 16 });
  const rounded = alibi({ past: 0, queries: 300 }, { heads: 16, rounded: true });
  const [a, b] = await Promise.all([exact, rounded].map((t) => t.select(1, 0).amax().item()));
  expect(a).toBeCloseTo(299 * Math.SQRT1_2, 3);
  // 299 is 300 there.
  expect(b).toBe(212);
});

test("positions that the mask does not count are refused", () => {
  const attentionMask = tensor([[0, 1, 1], [1, 1, 1]], { dtype: "int64" }); // prettier-ignore
  const check = (ids: number[][], mask = attentionMask, past = 0): void =>
    requireCounted("Model", tensor(ids, { dtype: "int64" }), {
      past,
      queries: ids[0]?.length ?? 0,
      attentionMask: mask,
    });
  check([[1, 0, 1], [0, 1, 2]]); // prettier-ignore
  check([[1], [2]], attentionMask, 2); // prettier-ignore
  requireCounted("Model", undefined, { past: 0, queries: 3, attentionMask });
  expect(() => check([[0, 1, 2]])).toThrow("Model: positionIds say 1 where 0 real tokens");
  expect(() => check([[2], [2]], attentionMask, 2)).toThrow("say 2 where 1 real tokens");
});
