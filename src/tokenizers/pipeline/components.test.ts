import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { budgetFor } from "./budget.ts";
import { readDecoder } from "./decoders.ts";
import { Fields } from "./fields.ts";
import { readNormalizer } from "./normalizers.ts";
import { wholePiece } from "./piece.ts";
import { readPreTokenizer } from "./pre-tokenizers.ts";

type Rows<T> = readonly (readonly [spec: object, answers: readonly T[]])[];

/** What the Rust library says, which Python's tokenizers are made of. */
const golden = JSON.parse(
  readFileSync(
    new URL("../../../tests/goldens/tokenizers/components.json", import.meta.url),
    "utf8",
  ),
) as {
  readonly texts: readonly string[];
  readonly tokens: readonly (readonly string[])[];
  readonly normalizers: Rows<string>;
  readonly preTokenizers: Rows<readonly string[]>;
  readonly decoders: Rows<string>;
};

const named = <T>(rows: Rows<T>): (readonly [string, object, readonly T[]])[] =>
  rows.map(([spec, answers]) => [JSON.stringify(spec).slice(0, 120), spec, answers]);

describe("components do what the Rust library's do", () => {
  test.each(named(golden.normalizers))("%s", (_, spec, answers) => {
    const normalize = readNormalizer(new Fields(spec, "normalizer"));
    expect(golden.texts.map((text) => normalize(wholePiece(text, false)).text)).toEqual(answers);
    for (const text of golden.texts) {
      const tracked = normalize(wholePiece(text, true));
      expect(tracked.spans).toHaveLength(tracked.text.length * 2);
      expect(Math.max(0, ...(tracked.spans ?? []))).toBeLessThanOrEqual(text.length);
    }
  });

  test.each(named(golden.preTokenizers))("%s", (_, spec, answers) => {
    const split = readPreTokenizer(new Fields(spec, "pre_tokenizer"));
    for (const tracked of [false, true]) {
      const pieces = golden.texts.map((text) => split([wholePiece(text, tracked)]));
      expect(pieces.map((row) => row.map(({ text }) => text))).toEqual(answers);
    }
  });

  test.each(named(golden.decoders))("%s", (_, spec, answers) => {
    const decode = readDecoder(new Fields(spec, "decoder"));
    expect(golden.tokens.map((tokens) => decode(tokens, budgetFor(0)).join(""))).toEqual(answers);
  });
});
