import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AutoTokenizer } from "./auto-tokenizer.ts";
import type { BatchEncoding } from "./batch-encoding.ts";
import { MemoryFiles } from "../files/memory-files.ts";
import { tensor } from "../tensor/functions/creation.ts";
import { PreTrainedTokenizer } from "./tokenizer.ts";

/** Splits at spaces; [CLS] and [SEP] stand around a text, as in BERT. */
const wordLevel = {
  added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map((content, id) => ({
    id,
    content,
    special: true,
    normalized: false,
  })),
  normalizer: { type: "Lowercase" },
  pre_tokenizer: { type: "WhitespaceSplit" },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
      "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
    },
  },
  decoder: { type: "WordPiece", prefix: "##", cleanup: false },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: {
      "[PAD]": 0,
      "[UNK]": 1,
      "[CLS]": 2,
      "[SEP]": 3,
      a: 4,
      big: 5,
      cat: 6,
      "##s": 7,
      sat: 8,
      ".": 9,
    },
  },
};
const wordConfig = {
  pad_token: "[PAD]",
  unk_token: { content: "[UNK]", lstrip: false },
  cls_token: "[CLS]",
  sep_token: "[SEP]",
  model_max_length: 1e30,
};
const words = new PreTrainedTokenizer(wordLevel, wordConfig);

async function rows({ inputIds, attentionMask }: BatchEncoding): Promise<unknown> {
  expect(inputIds.dtype).toBe("int64");
  expect(attentionMask.dtype).toBe("int64");
  expect(attentionMask.shape).toEqual(inputIds.shape);
  return { ids: await inputIds.toArray(), mask: await attentionMask.toArray() };
}

describe("PreTrainedTokenizer", () => {
  it("encodes with and without special tokens", () => {
    expect(words.encode("A cats sat")).toEqual([2, 4, 6, 7, 8, 3]);
    expect(words.encode("A cats sat", { addSpecialTokens: false })).toEqual([4, 6, 7, 8]);
    expect(words.encode("dog")).toEqual([2, 1, 3]);
    expect(words.tokens("a cats")).toEqual(["a", "cat", "##s"]);
    expect(words.tokens("a", { addSpecialTokens: true })).toEqual(["[CLS]", "a", "[SEP]"]);
  });

  it("decodes rows of any kind of integers", () => {
    expect(words.decode([2, 4, 6, 7, 3])).toBe("[CLS] a cats [SEP]");
    expect(words.decode([2, 4, 6, 7, 3], { skipSpecialTokens: true })).toBe("a cats");
    expect(words.decode(BigInt64Array.of(4n, 8n))).toBe("a sat");
    expect(words.decode(Int32Array.of(8))).toBe("sat");
    expect(words.decode(8n)).toBe("sat");
    expect(words.decode([])).toBe("");
    expect(words.decode([2, 3], { skipSpecialTokens: true })).toBe("");
    expect(words.batchDecode([[4], [8]])).toEqual(["a", "sat"]);
  });

  it("decodes tensors whose numbers are there", () => {
    const rows = tensor([[4, 8], [6, 7]], { dtype: "int64" }); // prettier-ignore
    expect(words.batchDecode(rows)).toEqual(["a sat", "cats"]);
    expect(words.batchDecode([tensor([4], { dtype: "int64" })])).toEqual(["a"]);
    expect(words.decode(tensor([4, 8], { dtype: "int64" }))).toBe("a sat");
    expect(() => words.decode(rows)).toThrow(/batchDecode takes \[rows, sequence\]/);
    expect(() => words.batchDecode(rows.add(1))).toThrow(/not computed yet; write await ids.data/);
    expect(() => words.decode(tensor([4]))).toThrow(/expected int64 ids of one row, got float32/);
  });

  it("changes spaces before punctuation only when asked to", () => {
    expect(words.decode([6, 9])).toBe("cat .");
    expect(words.decode([6, 9], { cleanUpTokenizationSpaces: true })).toBe("cat.");
    const config = { ...wordConfig, clean_up_tokenization_spaces: true };
    expect(new PreTrainedTokenizer(wordLevel, config).decode([6, 9])).toBe("cat.");
  });

  it("knows its special tokens", () => {
    expect(words.vocabSize).toBe(10);
    expect([words.padToken, words.padTokenId]).toEqual(["[PAD]", 0]);
    expect([words.unkToken, words.unkTokenId]).toEqual(["[UNK]", 1]);
    expect([words.clsToken, words.clsTokenId]).toEqual(["[CLS]", 2]);
    expect([words.sepToken, words.sepTokenId]).toEqual(["[SEP]", 3]);
    expect([words.eosToken, words.eosTokenId]).toEqual([undefined, undefined]);
    expect(words.allSpecialIds).toEqual([0, 1, 2, 3]);
    expect(words.modelMaxLength).toBeUndefined();
  });

  it("converts between tokens and ids", () => {
    expect(words.convertTokensToIds("cat")).toBe(6);
    expect(words.convertTokensToIds(["##s", "zebra"])).toEqual([7, 1]);
    expect(words.convertIdsToTokens(7)).toBe("##s");
    expect(words.convertIdsToTokens([0, 9])).toEqual(["[PAD]", "."]);
  });

  it("leaves out ids that no token has", () => {
    expect(words.decode([4, 10, 1e9, 8])).toBe("a sat");
    expect(words.decode([10], { skipSpecialTokens: true })).toBe("");
    expect(words.convertIdsToTokens([10, 4])).toEqual(["", "a"]);
  });

  it("refuses ids and texts that it cannot take", () => {
    expect(() => words.decode([-1])).toThrow("-1 is not the id");
    expect(() => words.convertIdsToTokens(1.5)).toThrow("convertIdsToTokens: 1.5");
    const notText = JSON.parse("3") as string;
    expect(() => words.encode(notText)).toThrow("encode: got 3; a string was expected");
    expect(() => words.tokenize([])).toThrow("got no text");
    expect(() => words.tokenize(["a", notText])).toThrow("tokenize: got 3");
    const { unk_token: _, ...noUnknown } = wordConfig;
    expect(() => new PreTrainedTokenizer(wordLevel, noUnknown).convertTokensToIds("zebra")).toThrow(
      '"zebra" is not in the vocabulary',
    );
  });

  it("names what is wrong with the files", () => {
    expect(() => new PreTrainedTokenizer([])).toThrow('tokenizer.json: an object with a "model"');
    expect(() => new PreTrainedTokenizer({ model: { type: "Magic" } })).toThrow(
      'tokenizer.json: model: type is "Magic"; one of BPE, WordPiece, WordLevel, Unigram',
    );
    expect(() => new PreTrainedTokenizer(wordLevel, "x")).toThrow("tokenizer_config.json");
    expect(() => new PreTrainedTokenizer(wordLevel, { padding_side: "top" })).toThrow(
      'padding_side is "top"; "left" or "right" was expected',
    );
  });
});

describe("encode", () => {
  it("refuses a piece for which the vocabulary has nothing", () => {
    const model = { ...wordLevel.model, unk_token: "[NOTHING]" };
    const tokenizer = new PreTrainedTokenizer({ ...wordLevel, model }, wordConfig);
    expect(() => tokenizer.encode("zebra")).toThrow(
      'the vocabulary has nothing for "zebra", and no "[NOTHING]"',
    );
  });
});

describe("tokenize", () => {
  it("makes a batch of one of a single text", async () => {
    expect(await rows(words.tokenize("a cat"))).toEqual({
      ids: [[2, 4, 6, 3]],
      mask: [[1, 1, 1, 1]],
    });
  });

  it("needs no padding for rows of one length", () => {
    expect(words.tokenize(["a cat", "big cat"]).inputIds.shape).toEqual([2, 4]);
    expect(words.tokenize(["", ""], { addSpecialTokens: false }).inputIds.shape).toEqual([2, 0]);
  });

  it("refuses ragged rows without padding", () => {
    expect(() => words.tokenize(["a", "a cat"])).toThrow("the texts have 3, 4 tokens");
    expect(() => words.tokenize(["a", "a cat"])).toThrow("pass { padding: true }");
  });

  it.each([
    ["right", [4, 0], [1, 0]],
    ["left", [0, 4], [0, 1]],
  ] as const)("pads on the %s to the longest", async (paddingSide, ids, mask) => {
    const expected = { ids: [ids, [5, 6]], mask: [mask, [1, 1]] };
    const options = { padding: true, addSpecialTokens: false };
    expect(await rows(words.tokenize(["a", "big cat"], { ...options, paddingSide }))).toEqual(
      expected,
    );
    const other = words.withOptions({ paddingSide });
    expect(await rows(other.tokenize(["a", "big cat"], options))).toEqual(expected);
  });

  it("pads to a length", async () => {
    const encoding = words.tokenize("a", { padding: "maxLength", maxLength: 5 });
    expect(await rows(encoding)).toEqual({ ids: [[2, 4, 3, 0, 0]], mask: [[1, 1, 1, 0, 0]] });
  });

  it("cuts texts and keeps the special tokens around them", async () => {
    const options = { truncation: true, maxLength: 4 };
    const text = "a big cat sat";
    expect(await words.tokenize(text, options).inputIds.toArray()).toEqual([[2, 4, 5, 3]]);
    const left = words.withOptions({ truncationSide: "left" });
    expect(await left.tokenize(text, options).inputIds.toArray()).toEqual([[2, 6, 8, 3]]);
    expect(await words.tokenize("a", options).inputIds.toArray()).toEqual([[2, 4, 3]]);
    const bare = { ...options, addSpecialTokens: false, maxLength: 3 };
    expect(await words.tokenize(text, bare).inputIds.toArray()).toEqual([[4, 5, 6]]);
    const none = { ...options, maxLength: 2 };
    expect(await words.tokenize(text, none).inputIds.toArray()).toEqual([[2, 3]]);
  });

  it("uses the model's own limit where none is given", () => {
    const limited = new PreTrainedTokenizer(wordLevel, { ...wordConfig, model_max_length: 3 });
    expect(limited.tokenize("a big cat", { truncation: true }).inputIds.shape).toEqual([1, 3]);
    expect(limited.tokenize("", { padding: "maxLength" }).inputIds.shape).toEqual([1, 3]);
  });

  it("refuses what would have no effect or no answer", () => {
    expect(() => words.tokenize("a", { maxLength: 5 })).toThrow("has no effect by itself");
    expect(() => words.tokenize("a", { truncation: true })).toThrow("maxLength is missing");
    expect(() => words.tokenize("a", { truncation: true, maxLength: 0 })).toThrow("maxLength is 0");
    expect(() => words.tokenize("a big", { truncation: true, maxLength: 1 })).toThrow(
      "no room for the 2 special tokens",
    );
    const options = { padding: "maxLength", maxLength: 3 } as const;
    expect(() => words.tokenize(["a", "a big cat"], options)).toThrow(
      "text 1 has 5 tokens, more than maxLength 3: pass { truncation: true }",
    );
  });

  it("refuses words that it does not know", () => {
    const padding = { padding: "left" as "longest" };
    expect(() => words.tokenize(["a", "a cat"], padding)).toThrow(
      'padding must be one of true, false, "longest", "maxLength"; got "left"',
    );
    const side = { padding: true, paddingSide: "Left" as "left" };
    expect(() => words.tokenize(["a", "a cat"], side)).toThrow('paddingSide must be one of "left"');
    const python: object = { max_length: 5 };
    expect(() => words.tokenize("a", python)).toThrow(
      "no option max_length; did you mean maxLength",
    );
  });

  it("decodes rows of ids, and no tensor of several rows", () => {
    const { inputIds } = words.tokenize("a cat");
    expect(() => words.decode(inputIds as unknown as number[])).toThrow(
      "decode: expected int64 ids of one row",
    );
  });

  it("says what to do when there is no padding token", async () => {
    const { pad_token: _, ...config } = { ...wordConfig, eos_token: "[SEP]" };
    const none = new PreTrainedTokenizer(wordLevel, config);
    expect(() => none.tokenize(["a", "a cat"], { padding: true })).toThrow(
      'AutoTokenizer.fromPretrained(name, { padToken: "[SEP]" })',
    );
    const some = none.withOptions({ padToken: "[SEP]" });
    expect(await some.tokenize(["a", "a cat"], { padding: true }).inputIds.toArray()).toEqual([
      [2, 4, 3, 3],
      [2, 4, 6, 3],
    ]);
    expect(none.padToken).toBeUndefined();
    expect(() => none.withOptions({ padToken: "<pad>" })).toThrow(
      'padToken "<pad>" is not among the 10 tokens of the vocabulary',
    );
  });
});

describe("AutoTokenizer", () => {
  it("reads the files, special_tokens_map.json included", async () => {
    const files = new MemoryFiles({
      "tokenizer.json": JSON.stringify(wordLevel),
      "tokenizer_config.json": JSON.stringify({ model_max_length: 7, padding_side: "left" }),
      "special_tokens_map.json": JSON.stringify({ pad_token: { content: "[PAD]" } }),
    });
    const tokenizer = await AutoTokenizer.fromPretrained(files);
    expect(tokenizer.modelMaxLength).toBe(7);
    expect(tokenizer.paddingSide).toBe("left");
    expect(tokenizer.padTokenId).toBe(0);
    const right = await AutoTokenizer.fromPretrained(files, { paddingSide: "right" });
    expect(right.paddingSide).toBe("right");
  });

  it("needs tokenizer.json alone", async () => {
    const files = new MemoryFiles({ "tokenizer.json": JSON.stringify(wordLevel) });
    expect((await AutoTokenizer.fromPretrained(files)).encode("cat")).toEqual([2, 6, 3]);
    const none = new MemoryFiles({ "vocab.json": "{}" }, "nothing here");
    await expect(AutoTokenizer.fromPretrained(none)).rejects.toMatchObject({ code: "missing" });
    await expect(AutoTokenizer.fromPretrained(none)).rejects.toThrow("save_pretrained(directory)");
  });

  it("says which place has bad files", async () => {
    const bad = { "tokenizer.json": '{"model": 1}', "tokenizer_config.json": "[]" };
    await expect(AutoTokenizer.fromPretrained(new MemoryFiles(bad, "here"))).rejects.toThrow(
      "here: tokenizer_config.json: a JSON object was expected",
    );
    const worse = new MemoryFiles({ "tokenizer.json": '{"model": 1}' }, "here");
    await expect(AutoTokenizer.fromPretrained(worse)).rejects.toThrow(
      "here: tokenizer.json: an object",
    );
  });

  it("reads what savePretrained wrote, decisions included", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tsvene-tokenizer-"));
    try {
      await words.withOptions({ paddingSide: "left", padToken: "[SEP]" }).savePretrained(directory);
      const tokenizer = await AutoTokenizer.fromPretrained(directory);
      expect([tokenizer.paddingSide, tokenizer.padTokenId]).toEqual(["left", 3]);
      expect(tokenizer.encode("big cats")).toEqual(words.encode("big cats"));
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

const mini = new URL("../../models/tsvene-mini/", import.meta.url);

describe.skipIf(!existsSync(new URL("tokenizer.json", mini)))("tsvene-mini's tokenizer", () => {
  it("returns any text unchanged", async () => {
    const tokenizer = await AutoTokenizer.fromPretrained(mini);
    const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.lorem());
    fc.assert(
      fc.property(text, (value) => {
        fc.pre(!value.includes("<|endoftext|>"));
        expect(tokenizer.decode(tokenizer.encode(value))).toBe(value);
      }),
    );
  });

  it("knows the end of a text, and pads with it", async () => {
    const tokenizer = await AutoTokenizer.fromPretrained(mini);
    const end = tokenizer.eosTokenId;
    expect(tokenizer.encode("<|endoftext|>")).toEqual([end]);
    expect(tokenizer.padTokenId).toBe(end);
    const texts = ["The capital of Spain is", "Spain"];
    const { inputIds, attentionMask } = tokenizer.tokenize(texts, { padding: true });
    const [, row] = tokenizer.batchDecode(await inputIds.toArray(), {
      skipSpecialTokens: true,
    });
    expect(row).toBe("Spain");
    expect(attentionMask.shape).toEqual([2, tokenizer.encode(texts[0] ?? "").length]);
  });
});

const shared = new URL("../../../shared/models/tokenizers/", import.meta.url);

function sharedText(path: string): string {
  return readFileSync(new URL(path, shared), "utf8");
}

function byteLevelBpe(vocab: string, merges: string, rest: object): PreTrainedTokenizer {
  const json = {
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      vocab: JSON.parse(sharedText(vocab)) as unknown,
      merges: sharedText(merges)
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#version")),
    },
    ...rest,
  };
  return new PreTrainedTokenizer(json, { eos_token: "<|endoftext|>" });
}

function gpt2(): PreTrainedTokenizer {
  return byteLevelBpe("gpt2/encoder.json", "gpt2/vocab.bpe", {
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    added_tokens: [{ id: 50256, content: "<|endoftext|>", special: true, normalized: false }],
  });
}

function qwen2(): PreTrainedTokenizer {
  const pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" +
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  return byteLevelBpe("qwen2/vocab.json", "qwen2/merges.txt", {
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ],
    },
  });
}

describe.skipIf(!existsSync(shared)).each([
  ["gpt-2", gpt2],
  ["qwen2", qwen2],
])("reference tokenisations of %s", (name, make) => {
  it("are reproduced, and decode to the text", () => {
    const tokenizer = make();
    const base = `reference-tokenisations/ggml-vocab-${name}.gguf`;
    const texts = sharedText(`${base}.inp`).split("\n__ggml_vocab_test__\n");
    const ids = sharedText(`${base}.out`)
      .split("\n")
      .map((line) => line.trim());
    expect(texts.length).toBeGreaterThan(40);
    texts.forEach((text, i) => {
      const encoded = tokenizer.encode(text);
      expect([text, encoded.join(" ")]).toEqual([text, ids[i]]);
      expect(tokenizer.decode(encoded)).toBe(text.normalize(name === "qwen2" ? "NFC" : undefined));
    });
  });

  it("has no padding token, and says which to use", () => {
    const tokenizer = make();
    const padding = (): unknown => tokenizer.tokenize(["a", "a b"], { padding: true });
    expect(padding).toThrow('{ padToken: "<|endoftext|>" }');
  });
});
