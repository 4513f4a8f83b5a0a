// Records what tokenizers 0.23.2, the Rust library, says of every type of component.
// In a scratch directory: npm i tokenizers@0.23.2, then node make_tokenizers.mjs > tokenizers.json
import { createRequire } from "node:module";
const require = createRequire(`${process.cwd()}/`);
const { Tokenizer } = require("tokenizers");

const TEXTS = ["hello  World ", "don't they're 3.14 ½²?", "line\nbreak\r\n\ttab", "naïve e\u0301 É ﬁ①", "日本語ー カナ잠 깰", "a\u200db\u200b\ufeffc\u00a0d\u0085e", "👩‍👩‍👧 🦙.x", "--a_b!!c", "İ ẞ ΑΣ ſK"];
const BASE = { version: "1.0", truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, model: { type: "WordLevel", vocab: { "<unk>": 0 }, unk_token: "<unk>" } };
const load = (json) => Tokenizer.fromString(JSON.stringify({ ...BASE, ...json }));
const flags = [true, false];
const BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];
const PATTERNS = ["\\s+", "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|\\s+", "\\w+", "\\b", "[[:punct:]]", "[[:alpha:]&&[^a-c]]+", "(?<!l)o|(?<=[ab])_", "(?i)k|[a-c]+", "\\R", "^.|.$", "l*", "(?>l+)o", "[\\w]+", "\\p{Han}+", "\\h"];
const pattern = (Regex, behavior = "Isolated", invert = false) => ({ type: "Split", pattern: { Regex }, behavior, invert });

/** A small table as SentencePiece writes it: a double-array trie and the texts of its keys. */
function build(map){const enc=new TextEncoder();const root={};for(const [k,v] of Object.entries(map)){let n=root;for(const b of enc.encode(k))n=(n[b]??={});n.v=v}
 const texts=[];const off=new Map();const pos=v=>{if(!off.has(v)){off.set(v,texts.length);texts.push(...enc.encode(v),0)}return off.get(v)};
 const units=[];const used=new Set([0]);const labels=n=>Object.keys(n).filter(k=>k!=="v").map(Number);
 const place=(n,at)=>{const ls=labels(n);const all=n.v!==undefined?[0,...ls]:ls;let base=1;for(;;base++){if(all.every(l=>!used.has(at^base^l)))if((base<(1<<21)))break}
  for(const l of all)used.add(at^base^l); units[at]=((units[at]??0)|(base<<10)|(n.v!==undefined?1<<8:0))>>>0;
  if(n.v!==undefined)units[at^base]=(0x80000000|pos(n.v))>>>0;
  for(const l of ls)units[at^base^l]=l; for(const l of ls)place(n[l],at^base^l)};
 place(root,0); const size=Math.ceil((Math.max(...used)+1)/256)*256;const buf=Buffer.alloc(4+size*4+texts.length);buf.writeUInt32LE(size*4,0);for(let i=0;i<size;i++)buf.writeUInt32LE((units[i]??0)>>>0,4+4*i);Buffer.from(texts).copy(buf,4+size*4);return buf.toString("base64")}

const CHARSMAP = build({ "①": "1", "ﬁ": "fi", "\u00a0": " ", "\u200b": " ", "\ufeff": "", "e\u0301": "é", "½": "1⁄2", "\t": " ", "ｶ": "カ" });

const normalizers = [
  { type: "Precompiled", precompiled_charsmap: CHARSMAP },
  ...["NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase", "StripAccents", "ByteLevel"].map((type) => ({ type })),
  ...flags.flatMap((strip_left) => flags.map((strip_right) => ({ type: "Strip", strip_left, strip_right }))),
  ...flags.flatMap((clean_text) => [true, false, null].flatMap((strip_accents) => flags.map((lowercase) => ({ type: "BertNormalizer", clean_text, handle_chinese_chars: clean_text, strip_accents, lowercase })))),
  { type: "Prepend", prepend: "▁" },
  { type: "Replace", pattern: { String: "a" }, content: "$1" },
  { type: "Replace", pattern: { String: "" }, content: "_" },
  { type: "Replace", pattern: { Regex: " {2,}|\\p{N}" }, content: "#" },
  { type: "Sequence", normalizers: [{ type: "NFD" }, { type: "StripAccents" }] },
];
const preTokenizers = [
  ...["BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts", "FixedLength"].map((type) => ({ type })),
  { type: "FixedLength", length: 3 },
  ...flags.map((individual_digits) => ({ type: "Digits", individual_digits })),
  { type: "CharDelimiterSplit", delimiter: "-" },
  ...BEHAVIORS.map((behavior) => ({ type: "Punctuation", behavior })),
  ...flags.flatMap((add_prefix_space) => flags.map((use_regex) => ({ type: "ByteLevel", add_prefix_space, trim_offsets: true, use_regex }))),
  ...["first", "always", "never"].flatMap((prepend_scheme) => flags.map((split) => ({ type: "Metaspace", replacement: "▁", prepend_scheme, split }))),
  ...BEHAVIORS.flatMap((behavior) => flags.map((invert) => pattern("[a-z]+", behavior, invert))),
  ...PATTERNS.map((regex) => pattern(regex)),
  { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true }] },
];
const TOKENS = [["▁a", "▁b", "##c", "Ġd", "Ċ"], ["<0xE2>", "<0x96>", "<0x81>", "x", "<0xFF>", "<0x4a>"], ["<0xEF>", "<0xBB>", "<0xBF>", "a"], ["h", "h", "<pad>", "|", "i", " ."], ["ï", "»", "¿", "â"], ["x</w>", "y", "</w>"], [" do not", " n't", " ' "], ["aab", "a", " a "]];
const decoders = [
  ...["Fuse", "ByteFallback"].map((type) => ({ type })),
  { type: "BPEDecoder", suffix: "</w>" },
  { type: "ByteLevel", add_prefix_space: true, trim_offsets: true },
  ...flags.map((cleanup) => ({ type: "WordPiece", prefix: "##", cleanup })),
  ...["first", "always", "never"].map((prepend_scheme) => ({ type: "Metaspace", replacement: "▁", prepend_scheme })),
  ...flags.map((cleanup) => ({ type: "CTC", pad_token: "<pad>", word_delimiter_token: "|", cleanup })),
  { type: "Strip", content: "a", start: 1, stop: 0 },
  { type: "Replace", pattern: { Regex: "a+" }, content: "x" },
  { type: "Sequence", decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }] },
];
const rows = (specs, make) => specs.map((spec) => [spec, make(spec)]);
const normalized = rows(normalizers, (normalizer) => { const part = load({ normalizer }).getNormalizer(); return TEXTS.map((text) => part.normalizeString(text)); });
const split = rows(preTokenizers, (pre_tokenizer) => { const part = load({ pre_tokenizer }).getPreTokenizer(); return TEXTS.map((text) => part.preTokenizeString(text).map(([piece]) => piece).filter((piece) => piece !== "")); });
const decoded = rows(decoders, (decoder) => { const part = load({ decoder }).getDecoder(); return TOKENS.map((tokens) => part.decode(tokens)); });
const lines = (list) => list.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
console.log(`{\n  "texts": ${JSON.stringify(TEXTS)},\n  "tokens": ${JSON.stringify(TOKENS)},\n  "normalizers": [\n${lines(normalized)}\n  ],\n  "preTokenizers": [\n${lines(split)}\n  ],\n  "decoders": [\n${lines(decoded)}\n  ]\n}`);
