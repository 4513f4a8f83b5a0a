import { expect, test } from "vitest";
import { PreTrainedTokenizer } from "../tokenizer.ts";

const model = { type: "WordLevel", unk_token: "a", vocab: { a: 0 } };
const split = (Regex: string): object => ({
  model,
  pre_tokenizer: { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false },
});
const repeated = (part: object, count: number): object[] =>
  Array.from({ length: count }, () => part);
const words = (token: string): object => ({
  type: "WordPiece",
  unk_token: "a",
  continuing_subword_prefix: "#",
  max_input_chars_per_word: 1e9,
  vocab: { a: 0, "#a": 1, [token]: 2 },
});

/** Files that would take very long, or all memory, if they were believed. */
test.each<readonly [string, object]>([
  ...["(a+)+b", "(a*)*b", "(a|a)*b", "(.*)*\\d", ".*.*.*.*x"].map(
    (pattern) => [pattern, split(pattern)] as const,
  ),
  ["repetitions written out", split("(?:ab){1,90000}")],
  ["groups", split("(".repeat(15_000))],
  [
    "a text that grows",
    {
      model,
      normalizer: {
        type: "Sequence",
        normalizers: repeated(
          { type: "Replace", pattern: { String: "a" }, content: "aaaaaaaa" },
          60,
        ),
      },
    },
  ],
  ["a long word", { model: words(`${"a".repeat(9000)}b`) }],
  ["long tokens", { model, added_tokens: [{ content: `${"a".repeat(9000)}b` }] }],
  [
    "a text put there again and again",
    {
      model,
      post_processor: {
        type: "TemplateProcessing",
        single: repeated({ Sequence: { id: "A" } }, 2),
        special_tokens: {},
      },
    },
  ],
])("%s: an error soon", (_, json) => {
  const begin = performance.now();
  const encode = (): unknown => new PreTrainedTokenizer(json).encode("a".repeat(9000));
  expect(encode).toThrow(expect.objectContaining({ name: "TokenizerError" }));
  expect(performance.now() - begin).toBeLessThan(5000);
});

test("ids and names that are strange are taken as they are", () => {
  const json = JSON.parse(
    '{"model":{"type":"WordLevel","unk_token":"__proto__","vocab":{"__proto__":1000000000}}}',
  ) as unknown;
  const tokenizer = new PreTrainedTokenizer(json);
  expect(tokenizer.encode("x")).toEqual([1e9]);
  expect(tokenizer.decode([1e9])).toBe("__proto__");
});
