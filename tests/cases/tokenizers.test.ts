import { readdirSync, readFileSync } from "node:fs";
import { AutoTokenizer } from "tsvene";
import { describe, expect, test } from "vitest";

/** What transformers 5.18 says of a text or of a row of ids. */
interface Row {
  readonly text?: string;
  readonly ids: readonly number[];
  readonly decoded: string;
  readonly skipped?: string;
  /** With clean-up asked for. */
  readonly forced?: string;
}

const cases = new URL("./", import.meta.url);

function rowsOf(name: string): [string, readonly Row[]][] {
  const json = readFileSync(new URL(`${name}/case.json`, cases), "utf8");
  return Object.entries(JSON.parse(json) as Record<string, readonly Row[]>);
}

describe.each(["22-added-tokens", "24-clean-up", "29-ids-past-vocabulary"])("%s", (name) => {
  test("has all its tokenizers", () => {
    const directories = readdirSync(new URL(`${name}/`, cases)).filter(
      (file) => !file.includes("."),
    );
    expect(
      rowsOf(name)
        .map(([directory]) => directory)
        .toSorted(),
    ).toEqual(directories.toSorted());
  });

  test.each(rowsOf(name))("%s encodes and decodes as recorded", async (directory, rows) => {
    const tokenizer = await AutoTokenizer.fromPretrained(new URL(`${name}/${directory}/`, cases));
    for (const { text, ids, decoded, skipped, forced } of rows) {
      const encoded =
        text === undefined ? ids : tokenizer.encode(text, { addSpecialTokens: false });
      const got = {
        ids: encoded,
        decoded: tokenizer.decode(ids),
        skipped: tokenizer.decode(ids, { skipSpecialTokens: true }),
        forced: tokenizer.decode(ids, { cleanUpTokenizationSpaces: true }),
      };
      const wanted = {
        ids,
        decoded,
        skipped: skipped ?? got.skipped,
        forced: forced ?? got.forced,
      };
      expect({ text, ...got }).toEqual({ text, ...wanted });
    }
  });
});
