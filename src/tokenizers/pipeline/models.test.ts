import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PreTrainedTokenizer } from "../tokenizer.ts";

/** Ids, spellings and the text without special tokens; null where the library refuses the text. */
type Answer = readonly [ids: readonly number[], tokens: readonly string[], decoded: string] | null;

/** What the Rust library says, which Python's tokenizers are made of. */
const golden = JSON.parse(
  readFileSync(new URL("../../../tests/goldens/tokenizers/models.json", import.meta.url), "utf8"),
) as {
  readonly texts: readonly string[];
  readonly models: readonly (readonly [
    json: { readonly model: object },
    answers: readonly Answer[],
  ])[];
  readonly addedTexts: readonly string[];
  readonly addedTo: { readonly added_tokens: readonly object[] };
  readonly added: readonly (readonly [flags: object, answers: readonly Answer[]])[];
};

function answer(tokenizer: PreTrainedTokenizer, text: string): Answer {
  try {
    const ids = tokenizer.encode(text);
    const decoded = tokenizer.decode(ids, { skipSpecialTokens: true });
    return [ids, tokenizer.tokens(text, { addSpecialTokens: true }), decoded];
  } catch (error) {
    expect(error).toMatchObject({ name: "TokenizerError" });
    return null;
  }
}

function answers(json: object, texts: readonly string[]): Answer[] {
  const tokenizer = new PreTrainedTokenizer(json);
  return texts.map((text) => answer(tokenizer, text));
}

describe("models do what the Rust library's do", () => {
  const named = golden.models.map(([json, expected], i) => {
    const settings = { ...json.model, vocab: undefined, merges: undefined };
    return [`${i} ${JSON.stringify(settings)}`, json, expected] as const;
  });
  test.each(named)("%s", (_, json, expected) => {
    expect(answers(json, golden.texts)).toEqual(expected);
  });
});

describe("added tokens are found as the Rust library finds them", () => {
  const named = golden.added.map((row) => [JSON.stringify(row[0]), ...row] as const);
  test.each(named)("%s", (_, flags, expected) => {
    const { addedTo } = golden;
    const added_tokens = addedTo.added_tokens.map((token) => ({ ...token, ...flags }));
    expect(answers({ ...addedTo, added_tokens }, golden.addedTexts)).toEqual(expected);
  });
});
