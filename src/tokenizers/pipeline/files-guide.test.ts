import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NAMED_TOKENS, TOKEN_LISTS } from "./declared-tokens.ts";
import { DECODERS } from "./decoders.ts";
import { MODELS } from "./model.ts";
import { NORMALIZERS } from "./normalizers.ts";
import { POST_PROCESSORS } from "./post-processors.ts";
import { PRE_TOKENIZERS } from "./pre-tokenizers.ts";

const guide = readFileSync(new URL("../../../docs/guide/files.md", import.meta.url), "utf8");

/** Rows of a section's table: what stands in backticks in the first cell, and in the second. */
function rowsOf(section: string): (readonly [fields: string[], words: string[]])[] {
  const [, body = ""] = guide.split(`## ${section}\n`);
  const [own = ""] = body.split("\n## ");
  const words = (cell: string): string[] =>
    Array.from(cell.matchAll(/`([^`]+)`/g), ([, word]) => word ?? "");
  const rows = own.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---"));
  return rows.map((row) => {
    const [, first = "", second = ""] = row.split("|");
    return [words(first), words(second)] as const;
  });
}

describe("the guide to files", () => {
  test.each([
    ["normalizer", NORMALIZERS],
    ["pre_tokenizer", PRE_TOKENIZERS],
    ["decoder", DECODERS],
  ])("names the types of a %s, and no others", (field, table) => {
    const row = rowsOf("tokenizer.json").find(([fields]) => fields[0] === field);
    expect(row?.[1].toSorted()).toEqual(Object.keys(table).toSorted());
  });

  test("names post-processors and models", () => {
    const rows = rowsOf("tokenizer.json");
    const processors = rows.find(([fields]) => fields[0] === "post_processor");
    expect(processors?.[1]).toEqual(expect.arrayContaining(Object.keys(POST_PROCESSORS)));
    const models = rows.filter(([fields]) => fields[0] === "model");
    expect(models.map(([fields]) => fields[1])).toEqual(Object.keys(MODELS));
  });

  test.each(["tokenizer_config.json", "special_tokens_map.json"])(
    "names the special tokens of %s",
    (section) => {
      const fields = rowsOf(section).flatMap(([names]) => names);
      expect(fields).toEqual(expect.arrayContaining([...NAMED_TOKENS, ...TOKEN_LISTS]));
      expect(new Set(fields).size).toBe(fields.length);
    },
  );
});
