import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PreTrainedTokenizer } from "tsvene";
import { type Bpe, trainBpe } from "./bpe.ts";
import { END_OF_TEXT, generateDocuments } from "./corpus.ts";

/** Where the model and its tokenizer are kept. */
export const MODEL_DIRECTORY: string = fileURLToPath(
  new URL("../../models/tsvene-mini/", import.meta.url),
);

/** The longest sequence, in tokens, that the model is trained on and has positions for. */
export const CONTEXT_LENGTH = 96;

/** The contents of a model directory's tokenizer files. */
export interface TokenizerFiles {
  readonly "tokenizer.json": string;
  readonly "tokenizer_config.json": string;
}

function tokenizerJson({ vocabulary, merges }: Bpe): object {
  const endOfText = {
    id: vocabulary.length,
    content: END_OF_TEXT,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
  const byteLevel = {
    type: "ByteLevel",
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [endOfText],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries([...vocabulary, END_OF_TEXT].map((token, id) => [token, id])),
      merges: merges.map(([left, right]) => `${left} ${right}`),
    },
  };
}

const TOKENIZER_CONFIG = {
  tokenizer_class: "GPT2Tokenizer",
  add_prefix_space: false,
  add_bos_token: false,
  bos_token: END_OF_TEXT,
  eos_token: END_OF_TEXT,
  pad_token: END_OF_TEXT,
  unk_token: END_OF_TEXT,
  clean_up_tokenization_spaces: false,
  model_max_length: CONTEXT_LENGTH,
};

/** Trains the tokenizer on the corpus and writes it out in Hugging Face's format. */
export function buildTokenizerFiles(): TokenizerFiles {
  const bpe = trainBpe(tokenizerTexts(), { vocabularySize: 2500, minimumCount: 60 });
  return {
    "tokenizer.json": `${JSON.stringify(tokenizerJson(bpe), null, 2)}\n`,
    "tokenizer_config.json": `${JSON.stringify(TOKENIZER_CONFIG, null, 2)}\n`,
  };
}

function* tokenizerTexts(): Generator<string, void, undefined> {
  for (const document of generateDocuments({ seed: 1, documents: 60_000 })) {
    yield document.slice(0, -END_OF_TEXT.length);
  }
}

/**
 * Makes a tokenizer from the contents of its files.
 *
 * @param files Contents to use. @default the committed files
 */
export function loadTokenizer(files: TokenizerFiles = readTokenizerFiles()): PreTrainedTokenizer {
  const model: object = JSON.parse(files["tokenizer.json"]);
  const config: object = JSON.parse(files["tokenizer_config.json"]);
  return new PreTrainedTokenizer(model, config);
}

/** Reads the committed tokenizer files. */
export function readTokenizerFiles(): TokenizerFiles {
  return {
    "tokenizer.json": readFileSync(`${MODEL_DIRECTORY}tokenizer.json`, "utf8"),
    "tokenizer_config.json": readFileSync(`${MODEL_DIRECTORY}tokenizer_config.json`, "utf8"),
  };
}
