import { beforeAll, describe, expect, test } from "vitest";
import { countries } from "./countries.ts";
import { END_OF_TEXT, generateDocuments } from "./corpus.ts";
import { factPrompts } from "./evaluation.ts";
import { names } from "./indirect-objects.ts";
import { landmarks } from "./landmarks.ts";
import { moodNames, moods } from "./moods.ts";
import {
  buildTokenizerFiles,
  CONTEXT_LENGTH,
  loadTokenizer,
  readTokenizerFiles,
  type TokenizerFiles,
} from "./tokenizer-files.ts";
import { createDocumentEncoder, packTokens } from "./tokens.ts";

const tokenizer = loadTokenizer();
const sizeOf = (text: string): number => tokenizer.encode(text).length;

describe("the committed tokenizer", () => {
  let built: TokenizerFiles;
  beforeAll(() => {
    built = buildTokenizerFiles();
  });

  test("is what the script builds", () => {
    expect(readTokenizerFiles()).toEqual(built);
  });

  test("is small", () => {
    expect(built["tokenizer.json"].length).toBeLessThan(150_000);
    expect(tokenizer.vocabSize).toBeLessThanOrEqual(2500);
  });

  test("gives back every document", () => {
    for (const document of generateDocuments({ seed: 77, documents: 3000 })) {
      expect(tokenizer.decode(tokenizer.encode(document))).toBe(document);
    }
  });

  test.each([
    "Ünïcödé, 東京 and 🎉🎉",
    "tabs\tand\n\nlines  and   spaces ",
    " leading",
    "it's we've I'll 12345 1,000.50",
    "\u0000\u007f\u00a0\u00ad",
    `before${END_OF_TEXT} after`,
  ])("gives back %j", (text) => {
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  test("ends with its special token, as GPT-2's does", () => {
    const size = tokenizer.vocabSize;
    expect(tokenizer.encode(END_OF_TEXT)).toEqual([size - 1]);
    const skipped = tokenizer.decode([size - 1], { skipSpecialTokens: true });
    expect(skipped).toBe("");
  });
});

describe("single tokens", () => {
  const wordsOf = (values: readonly string[]): string[] => {
    return values.flatMap((value) => value.split(" "));
  };
  test.each([
    ["countries", countries.map(({ name }) => name)],
    ["capitals", wordsOf(countries.map(({ capital }) => capital))],
    ["languages", countries.flatMap(({ language }) => language ?? [])],
    ["currencies", countries.map(({ currency }) => currency)],
    ["continents", wordsOf(countries.map(({ continent }) => continent))],
    ["cities of landmarks", wordsOf(landmarks.map(({ city }) => city))],
    ["names", names],
    ["words of mood", moodNames.flatMap((mood) => moods[mood].words)],
  ])("%s", (_, words) => {
    expect(words.filter((word) => sizeOf(` ${word}`) !== 1)).toEqual([]);
  });

  test("the first token tells an answer from all others of its relation", () => {
    const firsts = new Map<string, string>();
    for (const { relation, answer } of factPrompts("trained")) {
      const key = `${relation} ${tokenizer.encode(answer)[0] ?? ""}`;
      expect(firsts.get(key) ?? answer).toBe(answer);
      firsts.set(key, answer);
    }
  });

  test("all countries stand at one position of the canonical prompt", () => {
    const base = tokenizer.encode("The capital of Spain is");
    const source = tokenizer.encode("The capital of Italy is");
    expect(base).toHaveLength(5);
    expect(
      source.flatMap((id: number, index: number) => (id === base[index] ? [] : [index])),
    ).toEqual([3]);
  });
});

describe("createDocumentEncoder", () => {
  test("agrees with the tokenizer on whole documents", () => {
    const encode = createDocumentEncoder(tokenizer);
    for (const document of generateDocuments({ seed: 78, documents: 3000 })) {
      expect(encode(document)).toEqual(tokenizer.encode(document));
    }
  });
});

describe("packTokens", () => {
  const take = (seed: number, count: number): Int32Array[] => {
    const batches = packTokens({ seed, batch: 8 });
    return Array.from({ length: count }, () => batches.next().value);
  };
  const rows = take(1, 50).flatMap((ids) => {
    return Array.from({ length: 8 }, (_, row) => {
      return Array.from(ids.subarray(row * CONTEXT_LENGTH, (row + 1) * CONTEXT_LENGTH));
    });
  });
  const endOfText = tokenizer.vocabSize - 1;

  test("repeats with its seed", () => {
    expect(take(1, 3)).toEqual(take(1, 3));
    expect(take(1, 3)).not.toEqual(take(2, 3));
  });

  test("fills batches of the length asked for", () => {
    const { value } = packTokens({ seed: 1, batch: 3, length: 40 }).next();
    expect(value).toBeInstanceOf(Int32Array);
    expect(value).toHaveLength(120);
    for (const row of rows) expect(row).toHaveLength(CONTEXT_LENGTH);
  });

  test("starts every row with a document, a tenth after the special token", () => {
    const texts = rows.map((row) => tokenizer.decode(row));
    const special = texts.filter((text) => text.startsWith(END_OF_TEXT));
    expect(special.length / texts.length).toBeGreaterThan(0.05);
    expect(special.length / texts.length).toBeLessThan(0.15);
    for (const text of texts) expect(text.replace(END_OF_TEXT, "")).toMatch(/^[A-Z]/);
  });

  test("packs several documents into a row", () => {
    const ends = rows.flat().filter((id) => id === endOfText).length;
    expect(ends / rows.length).toBeGreaterThan(2);
  });
});
