import { describe, expect, test } from "vitest";
import { trainBpe } from "./bpe.ts";

describe("trainBpe", () => {
  test("starts with GPT-2's bytes in GPT-2's order", () => {
    const { vocabulary, merges } = trainBpe([], { vocabularySize: 256, minimumCount: 1 });
    expect(vocabulary.slice(0, 3)).toEqual(["!", '"', "#"]);
    expect(vocabulary[220]).toBe("Ġ");
    expect(vocabulary).toHaveLength(256);
    expect(merges).toEqual([]);
  });

  test("merges the most frequent pair first", () => {
    const { merges } = trainBpe(["low low low lower lower new"], {
      vocabularySize: 260,
      minimumCount: 2,
    });
    // "l o" and "o w" occur five times each; of equals the first in code order is taken.
    expect(merges).toEqual([
      ["l", "o"],
      ["lo", "w"],
      ["Ġ", "low"],
      ["e", "r"],
    ]);
  });

  test("never merges across the pieces of GPT-2's rule", () => {
    const { vocabulary } = trainBpe(["a b. a b. a b."], { vocabularySize: 300, minimumCount: 1 });
    expect(vocabulary.slice(256)).toEqual(["Ġb", "Ġa"]);
  });

  test("stops at its size, and at pairs too rare", () => {
    const text = ["banana banana banana"];
    expect(trainBpe(text, { vocabularySize: 258, minimumCount: 1 }).vocabulary).toHaveLength(258);
    expect(trainBpe(text, { vocabularySize: 300, minimumCount: 99 }).vocabulary).toHaveLength(256);
  });

  test("does not merge overlapping pairs twice", () => {
    const { vocabulary } = trainBpe(["aaa"], { vocabularySize: 300, minimumCount: 1 });
    expect(vocabulary.slice(256)).toEqual(["aa", "aaa"]);
  });
});
