import { expect, test } from "vitest";
import { AutoTokenizer } from "./auto-tokenizer.ts";
import { findPositions, type PositionFinder } from "./find-positions.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";
import { PreTrainedTokenizer } from "./tokenizer.ts";

const mini = await AutoTokenizer.fromPretrained("tsvene-mini");
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

const marked = {
  version: "1.0",
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "NFKC" },
      { type: "Lowercase" },
      { type: "Prepend", prepend: "▁" },
      { type: "Replace", pattern: { String: " " }, content: "▁" },
    ],
  },
  decoder: { type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Fuse" }] },
  added_tokens: [{ id: 256, content: "<s>", special: true, normalized: false }],
  model: {
    type: "BPE",
    byte_fallback: true,
    vocab: Object.fromEntries([
      ...Array.from({ length: 256 }, (_, byte) => [
        `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
        byte,
      ]),
      ...["<s>", "▁", "a", "b", "fi", "f", "i", "1"].map((token, i) => [token, 256 + i]),
    ]),
    merges: ["f i"],
  },
};
const config = { bos_token: "<s>", add_bos_token: true };
const fallback = new PreTrainedTokenizer(marked, config);

test.each([
  // The mark of a space that is put first, and bytes one by one.
  ["日本", "本", [5, 6, 7]],
  ["日本", "日", [2, 3, 4]],
  ["\uFEFFab", "a", [5]],
  ["<s>a", "a", [3]],
  ["a b", " b", [3, 4]],
  // Upper case, and characters that become two.
  ["A B", "B", [4]],
  ["a ﬁ", "ﬁ", [4]],
  ["① b", "①", [2]],
  ["①b", "b", [3]],
])("in %j, %j is at %j", (text, part, positions) => {
  expect(findPositions(fallback, text, part)).toStrictEqual(positions);
});

test("what only the tokens read is found there", () => {
  expect(findPositions(fallback, "A B", "<s>")).toStrictEqual([0]);
});
