// Records what tokenizers 0.23.2, the Rust library, says of every type of model and of the flags of
// added tokens. In a scratch directory: npm i tokenizers@0.23.2, then
// node make_tokenizer_models.mjs > models.json
import { createRequire } from "node:module";
const require = createRequire(`${process.cwd()}/`);
const { Tokenizer } = require("tokenizers");

const BASE = { version: "1.0", truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
const TEXTS = ["", "abc abd", "aab bé日🦙 ccc", "zz日本 zz a", "Abc d\u0301", "<0x41>a", " ab  ab "];
const BYTES = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
const ids = (tokens) => Object.fromEntries(tokens.map((token, i) => [token, i]));
/** Bytes of the characters in the texts that no vocabulary has; the others are left out. */
const SOME = [0xe6, 0x97, 0xa5, 0xc3, 0xa9, 0xf0, 0x9f, 0xa6, 0x99].map((byte) => BYTES[byte]);

const bpe = (fields, { prefix = "", suffix = "", extra = [] } = {}) => {
  const merges = [["a", `${prefix}b`], ["ab", `${prefix}c`], ["a", `${prefix}a`], [`${prefix}c`, `${prefix}c`]];
  if (suffix !== "") merges.push(["a", `${prefix}b${suffix}`], ["ab", `${prefix}c${suffix}`]);
  const letters = [..."abc "].flatMap((c) => [c, prefix + c, c + suffix, prefix + c + suffix]);
  const made = merges.map(([a, b]) => a + b.slice(prefix.length));
  const vocab = ids([...new Set(["<unk>", ...extra, ...letters, ...made, "abd"])]);
  return { type: "BPE", dropout: null, unk_token: "<unk>", continuing_subword_prefix: prefix || null, end_of_word_suffix: suffix || null, fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges, ...fields };
};
const unigram = (fields, extra = []) => ({ type: "Unigram", unk_id: 0, byte_fallback: false, vocab: [["<unk>", 0], ...extra.map((byte) => [byte, -9]), ["a", -3], ["b", -3.5], ["c", -4], [" ", -2], ["ab", -4], ["abc", -6], ["bc", -4.2], ["cc", -7]], ...fields });
const wordPiece = (fields) => ({ type: "WordPiece", unk_token: "<unk>", continuing_subword_prefix: "##", max_input_chars_per_word: 100, vocab: ids(["<unk>", "a", "ab", "abc", "##b", "##c", "##d", "##é", "b", "ccc", "##日"]), ...fields });
const wordLevel = (fields) => ({ type: "WordLevel", unk_token: "<unk>", vocab: ids(["<unk>", "abc", "a", "zz"]), ...fields });
const spaces = { type: "WhitespaceSplit" };
const flags = [true, false];
const MODELS = [
  ...flags.flatMap((fuse_unk) => flags.flatMap((byte_fallback) => [[], SOME].map((extra) => ({ model: bpe({ fuse_unk, byte_fallback }, { extra }) })))),
  { model: bpe({ unk_token: null }) },
  { model: bpe({ ignore_merges: true }), pre_tokenizer: spaces },
  { model: bpe({}), pre_tokenizer: spaces },
  { model: bpe({}, { suffix: "</w>" }), pre_tokenizer: spaces },
  { model: bpe({}, { prefix: "##" }), pre_tokenizer: spaces },
  { model: bpe({}, { prefix: "##", suffix: "</w>" }), pre_tokenizer: spaces },
  ...[0, 2, null].flatMap((unk_id) => flags.flatMap((byte_fallback) => [[], SOME].map((extra) => ({ model: unigram({ unk_id, byte_fallback }, extra) })))),
  { model: wordPiece({}), pre_tokenizer: spaces },
  { model: wordPiece({ max_input_chars_per_word: 3 }), pre_tokenizer: spaces },
  { model: wordPiece({ unk_token: "missing" }), pre_tokenizer: spaces },
  { model: wordLevel({}), pre_tokenizer: spaces },
  { model: wordLevel({ unk_token: "missing" }), pre_tokenizer: spaces },
];

const ADDED_TEXTS = ["abox box, box_ BOX", "  <m>  a<m>b <M>", "Caf\u00e9 CAFE\u0301 日本 日", "b a  b ", "box<m>box"];
const ADDED = flags.flatMap((single_word) => flags.flatMap((lstrip) => flags.flatMap((rstrip) => flags.flatMap((normalized) => flags.map((special) => ({ single_word, lstrip, rstrip, normalized, special }))))));
const withAdded = (fields) => ({ model: wordLevel({}), normalizer: { type: "Lowercase" }, pre_tokenizer: spaces, added_tokens: ["<m>", "box", "Café", "日", " b "].map((content, i) => ({ id: 4 + i, content, ...fields })) });

/** Ids and spellings, with special tokens and without when decoded; null where the library refuses. */
async function answers(json, texts) {
  const tokenizer = Tokenizer.fromString(JSON.stringify({ ...BASE, ...json }));
  const one = async (text) => {
    try {
      const encoding = await tokenizer.encode(text);
      const decoded = await tokenizer.decode(encoding.getIds(), true);
      return [encoding.getIds(), encoding.getTokens(), decoded];
    } catch {
      return null;
    }
  };
  return Promise.all(texts.map(one));
}
const rows = (list, texts) => Promise.all(list.map(async (json) => `    ${JSON.stringify([json, await answers(json, texts)])}`));
const models = await rows(MODELS, TEXTS);
const added = await Promise.all(ADDED.map(async (fields) => `    ${JSON.stringify([fields, await answers(withAdded(fields), ADDED_TEXTS)])}`));
console.log(`{\n  "texts": ${JSON.stringify(TEXTS)},\n  "models": [\n${models.join(",\n")}\n  ],\n  "addedTexts": ${JSON.stringify(ADDED_TEXTS)},\n  "addedTo": ${JSON.stringify(withAdded({}))},\n  "added": [\n${added.join(",\n")}\n  ]\n}`);
