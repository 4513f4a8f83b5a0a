import { describe, expect, test } from "vitest";
import { runtimeStats } from "../runtime/index.ts";
import { tensor } from "../tensor/functions/creation.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { topTokens } from "./top-tokens.ts";

const tokenizer = { decode: (ids: readonly number[]) => ids.map((id) => ` t${id}`).join("") };
const LOGITS = [Math.log(1), Math.log(5), Math.log(3), Math.log(1)];

describe("topTokens", () => {
  test("gives the likeliest first, with their probabilities", async () => {
    const { logits } = await topTokens({ logits: tensor(LOGITS) }, tokenizer, { count: 2 });
    expect(logits.map(({ id, token }) => [id, token])).toEqual([
      [1, " t1"],
      [2, " t2"],
    ]);
    expect(logits[0]?.probability).toBeCloseTo(0.5, 6);
    expect(logits[1]?.probability).toBeCloseTo(0.3, 6);
  });

  test("reads the last position, of a sequence and of a batch of one", async () => {
    const sequence = tensor([[9, 0, 0, 0], LOGITS]);
    const tops = await topTokens({ sequence, batch: sequence.reshape([1, 2, 4]) }, tokenizer);
    expect(tops.sequence[0]?.id).toBe(1);
    expect(tops.batch).toEqual(tops.sequence);
  });

  test("computes all runs in one program", async () => {
    const shared = tensor(LOGITS).mul(2).exp();
    const before = runtimeStats().runs;
    await topTokens({ a: shared.add(1), b: shared.mul(3) }, tokenizer);
    expect(runtimeStats().runs - before).toBe(1);
  });

  test.each([
    [{}, undefined, /at least one tensor/],
    [
      { shape: [4] as unknown as Tensor },
      undefined,
      /expected tensors by name, such as \{ logits \}/,
    ],
    [
      { a: tensor([LOGITS, LOGITS]).reshape([2, 1, 4]) },
      undefined,
      /a is \[2, 1, 4\].*select\(0, row\)/,
    ],
    [{ a: tensor(LOGITS) }, 0, /count must be a whole number from 1 to 4.*got 0/],
    [{ a: tensor(LOGITS) }, 5, /from 1 to 4.*got 5/],
  ] as const)("refuses %#", async (logits, count, message) => {
    const options = count === undefined ? {} : { count };
    await expect(topTokens<string>(logits, tokenizer, options)).rejects.toThrow(message);
  });
});
