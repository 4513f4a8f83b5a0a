import * as tokenizers from "@huggingface/tokenizers";
import { isObject } from "./tokenizer-config.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/**
 * The part of the `@huggingface/tokenizers` tokenizer that is used here. Its own declarations import
 * one another without file extensions, which TypeScript does not follow under Node's rules, so that
 * everything would be `any`.
 */
export interface HuggingFaceTokenizer {
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { ids: (number | undefined)[]; tokens: string[] };
  tokenize(text: string, options: { add_special_tokens: boolean }): string[];
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_added_tokens_decoder(): Map<number, { id: number; special: boolean }>;
  get_vocab(): Map<string, number>;
}

const { Tokenizer } = tokenizers as unknown as {
  Tokenizer: new (json: object, config: object) => HuggingFaceTokenizer;
};

/** Parts that a tokenizer.json may leave out here, though the library asks for them. */
const DEFAULTS = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
};

/**
 * @param json the parsed `tokenizer.json`.
 * @param config the parsed `tokenizer_config.json`.
 * @throws TokenizerError with the library's reason.
 */
export function makeHuggingFaceTokenizer(
  json: unknown,
  config: Readonly<Record<string, unknown>>,
): HuggingFaceTokenizer {
  if (!isObject(json) || !isObject(json["model"])) {
    throw new TokenizerError(
      'tokenizer.json: an object with a "model" was expected, as the Hugging Face tokenizers write it',
    );
  }
  try {
    return new Tokenizer({ ...DEFAULTS, ...json }, config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TokenizerError(`tokenizer.json cannot be used: ${reason}`, { cause: error });
  }
}
