import type { OptionNames } from "../base/known-options.ts";
import type { Side } from "./tokenizer-config.ts";

/** One id, or a row of them: an array, or the typed array of an int64 or int32 tensor. */
export type TokenIds = number | bigint | ArrayLike<number | bigint>;

/** What a tokenizer's user may decide once, over what its files say. */
export interface TokenizerOptions {
  /** Token to pad with; it must be in the vocabulary. GPT-2's files name none. */
  readonly padToken?: string;
  /** Side that padding goes to; `"left"` for generation. */
  readonly paddingSide?: Side;
  /** Side that tokens are cut from. */
  readonly truncationSide?: Side;
}

/** How a text becomes ids. */
export interface EncodeOptions {
  /**
   * Add what the tokenizer puts around a text, such as `<s>` or `[CLS]`.
   * @default true
   */
  readonly addSpecialTokens?: boolean;
}

/** How texts become a batch of one length. */
export interface TokenizeOptions extends EncodeOptions {
  /**
   * Bring all rows to one length: the longest's (`true` or `"longest"`), or `maxLength`.
   * @default false
   */
  readonly padding?: boolean | "longest" | "maxLength";
  /** @default the tokenizer's */
  readonly paddingSide?: Side;
  /**
   * Cut texts to `maxLength` tokens; special tokens around them stay.
   * @default false
   */
  readonly truncation?: boolean;
  /** @default the tokenizer's `modelMaxLength`, where `padding` or `truncation` asks for it */
  readonly maxLength?: number;
}

/** Every option of `tokenize`, to tell those that are misspelt. */
export const TOKENIZE_OPTIONS: OptionNames<TokenizeOptions> = {
  addSpecialTokens: true,
  padding: true,
  paddingSide: true,
  truncation: true,
  maxLength: true,
};

/** How ids become text. */
export interface DecodeOptions {
  /**
   * Leave out special tokens, such as `<|endoftext|>`.
   * @default false
   */
  readonly skipSpecialTokens?: boolean;
  /**
   * Undo the spaces before punctuation that some tokenizers of English put there.
   * @default what tokenizer_config.json says, else false
   */
  readonly cleanUpTokenizationSpaces?: boolean;
}

/** Every option of `encode`. */
export const ENCODE_OPTIONS: OptionNames<EncodeOptions> = { addSpecialTokens: true };

/** Every option of `decode`. */
export const DECODE_OPTIONS: OptionNames<DecodeOptions> = {
  skipSpecialTokens: true,
  cleanUpTokenizationSpaces: true,
};
