import { expect, test } from "vitest";
import { AutoTokenizer } from "./auto-tokenizer.ts";
import { findPositions, type PositionFinder } from "./find-positions.ts";
import { TokenizerError } from "./tokenizer-error.ts";

const mini = await AutoTokenizer.fromPretrained("models/tsvene-mini");
const prompt = "The capital of Spain is";

/** Every byte is a token, so that many characters take several of them. */
const bytes: PositionFinder = {
  paddingSide: "left",
  encode: (text) => [...new TextEncoder().encode(text)],
  decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids as number[])),
};

test("the tokens found spell the part", () => {
  for (const part of [" Spain", "Spain", "The capital", " of Spain is", "e"]) {
    const ids = mini.encode(prompt);
    const found = findPositions(mini, prompt, part);
    expect(mini.decode(found.map((at) => ids[at] ?? 0))).toContain(part);
    const [first = 0] = found;
    expect(found).toStrictEqual(found.map((_, i) => first + i));
    // Without its first or its last token, something of the part is missing.
    const spelled = (tokens: number[]): string => mini.decode(tokens.map((at) => ids[at] ?? 0));
    expect(spelled(found.slice(1))).not.toContain(part);
    expect(spelled(found.slice(0, -1))).not.toContain(part);
  }
});

test("characters of several tokens are taken with all of them", () => {
  expect(findPositions(bytes, "aéb", "é")).toStrictEqual([1, 2]);
  expect(findPositions(bytes, "é🙂b", "🙂")).toStrictEqual([2, 3, 4, 5]);
  expect(findPositions(bytes, "é🙂b", "b")).toStrictEqual([6]);
  expect(findPositions(bytes, "x�y", "y")).toStrictEqual([4]);
});

test("positions in several prompts count the padding before them", () => {
  const prompts = ["abc d", "x d"];
  expect(findPositions(bytes, prompts, " d")).toStrictEqual([
    [3, 4],
    [3, 4],
  ]);
  expect(findPositions(bytes, prompts, ["bc", "x"], { paddingSide: "right" })).toStrictEqual([
    [1, 2],
    [0],
  ]);
  expect(findPositions(bytes, prompts, ["bc", "x"])).toStrictEqual([[1, 2], [2]]);
});

test("one of several occurrences is named", () => {
  expect(findPositions(bytes, "a b a", "a", { occurrence: 0 })).toStrictEqual([0]);
  expect(findPositions(bytes, "a b a", "a", { occurrence: -1 })).toStrictEqual([4]);
});

test.each([
  ["what is not there", () => findPositions(mini, prompt, " Italy"), /no " Italy" in the prompt/],
  ["what is there twice", () => findPositions(bytes, "a b a", "a"), /2 times; say which/],
  [
    "an occurrence that is not there",
    () => findPositions(bytes, "a b a", "a", { occurrence: 2 }),
    /no occurrence 2/,
  ],
  ["nothing", () => findPositions(mini, prompt, ""), /the part is empty/],
  [
    "parts for other prompts",
    () => findPositions(bytes, ["a", "b"], ["a"]),
    /1 parts for 2 prompts/,
  ],
])("%s is an error", (_, find, message) => {
  expect(find).toThrow(message);
  expect(find).toThrow(TokenizerError);
});
