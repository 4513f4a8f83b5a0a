import type { FillFile } from "./atomic-file.ts";
import { type OptionNames, wrongOptions } from "../tensor/known-options.ts";
import { type BatchEncoding, requireWord, toBatch } from "./batch-encoding.ts";
import { type ChatMessage, type ChatTemplateOptions, renderChat } from "./chat-template.ts";
import { type HuggingFaceTokenizer, makeHuggingFaceTokenizer } from "./hugging-face-tokenizer.ts";
import {
  isObject,
  parseTokenizerConfig,
  type Side,
  type TokenizerConfig,
  type TokenRole,
} from "./tokenizer-config.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import { writeTogether } from "./write-together.ts";

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

export interface EncodeOptions {
  /**
   * Add what the tokenizer puts around a text, such as `<s>` or `[CLS]`.
   * @default true
   */
  readonly addSpecialTokens?: boolean;
}

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

/** Files whose fields go into `tokenizer_config.json` when it is written. */
const MERGED_FILES: ReadonlySet<string> = new Set([
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
]);

const TOKENIZE_OPTIONS: OptionNames<TokenizeOptions> = {
  addSpecialTokens: true,
  padding: true,
  paddingSide: true,
  truncation: true,
  maxLength: true,
};

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

/** A tokenizer's files with a user's decisions written into them. */
function withOptionsWritten(config: unknown, options: TokenizerOptions): Record<string, unknown> {
  const written: Record<string, unknown> = isObject(config) ? { ...config } : {};
  if (options.padToken !== undefined) written["pad_token"] = options.padToken;
  if (options.paddingSide !== undefined) written["padding_side"] = options.paddingSide;
  if (options.truncationSide !== undefined) written["truncation_side"] = options.truncationSide;
  return written;
}

/**
 * Turns text into token ids and back, as Hugging Face's tokenizer of the same files does. It cannot
 * be changed after it is made; `withOptions` makes another one.
 *
 * @example
 * ```ts
 * import { AutoTokenizer } from "tsvene";
 * const tokenizer = await AutoTokenizer.fromPretrained("models/tsvene-mini");
 * const { inputIds, attentionMask } = tokenizer.tokenize(["The capital of Spain is"]);
 * console.log(tokenizer.tokens("The capital of Spain is"), inputIds.shape);
 * ```
 */
export class PreTrainedTokenizer {
  /** Number of tokens, added ones included: Python's `len(tokenizer)`. */
  readonly vocabSize: number;
  /** Ids that `skipSpecialTokens` leaves out. */
  readonly allSpecialIds: readonly number[];
  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #config: TokenizerConfig;
  readonly #json: unknown;
  readonly #configJson: Readonly<Record<string, unknown>>;

  /**
   * @param json the parsed `tokenizer.json`.
   * @param config the parsed `tokenizer_config.json`; special tokens may be written as text or as
   * objects.
   * @throws TokenizerError when they are not what they should be, or `padToken` is not in the
   * vocabulary.
   */
  constructor(json: unknown, config: unknown = {}, options: TokenizerOptions = {}) {
    this.#json = json;
    this.#configJson = withOptionsWritten(config, options);
    this.#config = parseTokenizerConfig(isObject(config) ? this.#configJson : config);
    this.#tokenizer = makeHuggingFaceTokenizer(json, this.#configJson);
    this.vocabSize = this.#tokenizer.get_vocab().size;
    if (options.padToken !== undefined && this.padTokenId === undefined) {
      throw new TokenizerError(
        `padToken ${JSON.stringify(options.padToken)} is not among the ${this.vocabSize} tokens of ` +
          "the vocabulary, so the model has no embedding for it; use one that is, such as the " +
          `end-of-text token${this.eosToken === undefined ? "" : ` ${JSON.stringify(this.eosToken)}`}`,
      );
    }
    const added = [...this.#tokenizer.get_added_tokens_decoder().values()];
    const named = Object.values(this.#config.specialTokens).map((token) => this.#idOf(token));
    const special = [...added.filter((token) => token.special).map((token) => token.id), ...named];
    this.allSpecialIds = [...new Set(special.filter((id) => id !== undefined))].toSorted(
      (a, b) => a - b,
    );
  }

  /** The same tokenizer with other decisions. */
  withOptions(options: TokenizerOptions): PreTrainedTokenizer {
    return new PreTrainedTokenizer(this.#json, this.#configJson, options);
  }

  get paddingSide(): Side {
    return this.#config.paddingSide;
  }

  get truncationSide(): Side {
    return this.#config.truncationSide;
  }

  /** Tokens that the model takes at most, if the files say it. */
  get modelMaxLength(): number | undefined {
    return this.#config.modelMaxLength;
  }

  get bosToken(): string | undefined {
    return this.#config.specialTokens.bos;
  }

  get bosTokenId(): number | undefined {
    return this.#roleId("bos");
  }

  get eosToken(): string | undefined {
    return this.#config.specialTokens.eos;
  }

  get eosTokenId(): number | undefined {
    return this.#roleId("eos");
  }

  get padToken(): string | undefined {
    return this.#config.specialTokens.pad;
  }

  get padTokenId(): number | undefined {
    return this.#roleId("pad");
  }

  get unkToken(): string | undefined {
    return this.#config.specialTokens.unk;
  }

  get unkTokenId(): number | undefined {
    return this.#roleId("unk");
  }

  get sepToken(): string | undefined {
    return this.#config.specialTokens.sep;
  }

  get sepTokenId(): number | undefined {
    return this.#roleId("sep");
  }

  get clsToken(): string | undefined {
    return this.#config.specialTokens.cls;
  }

  get clsTokenId(): number | undefined {
    return this.#roleId("cls");
  }

  get maskToken(): string | undefined {
    return this.#config.specialTokens.mask;
  }

  get maskTokenId(): number | undefined {
    return this.#roleId("mask");
  }

  /** Token ids of one text. */
  encode(text: string, { addSpecialTokens = true }: EncodeOptions = {}): number[] {
    const { ids, tokens } = this.#tokenizer.encode(checkText("encode", text), {
      add_special_tokens: addSpecialTokens,
    });
    const known = ids.filter((id) => id !== undefined);
    if (known.length === ids.length) return known;
    const unknown = ids.indexOf(undefined);
    throw new TokenizerError(
      `encode: the piece ${JSON.stringify(tokens[unknown])} is not in the vocabulary, and the ` +
        "tokenizer has no token for unknown pieces",
    );
  }

  /**
   * The pieces of a text, as the vocabulary spells them (GPT-2 writes a space as "Ġ"). Unlike
   * `encode`, without special tokens unless they are asked for, as in Python.
   */
  tokens(text: string, { addSpecialTokens = false }: EncodeOptions = {}): string[] {
    return this.#tokenizer.tokenize(checkText("tokens", text), {
      add_special_tokens: addSpecialTokens,
    });
  }

  /**
   * Token ids of one or several texts as tensors: what Python's `tokenizer(texts,
   * return_tensors="pt")` does.
   *
   * @returns int64 tensors [batch, sequence]; batch is 1 for a single text.
   * @throws TokenizerError when texts have different lengths and no padding is asked for, or there
   * is nothing to pad with.
   */
  tokenize(texts: string | readonly string[], options: TokenizeOptions = {}): BatchEncoding {
    const batch = typeof texts === "string" ? [texts] : texts;
    if (!Array.isArray(batch) || batch.length === 0) {
      throw new TokenizerError("tokenize: got no text; a string or a list of them was expected");
    }
    const wrong = wrongOptions(options, TOKENIZE_OPTIONS);
    if (wrong !== undefined) throw new TokenizerError(`tokenize: ${wrong}`);
    requireWord("padding", options.padding, [true, false, "longest", "maxLength"]);
    requireWord("paddingSide", options.paddingSide, ["left", "right"]);
    const maxLength = this.#maxLength(options);
    const cut = options.truncation === true ? maxLength : undefined;
    const rows = batch.map((text) => this.#encodeCut(checkText("tokenize", text), cut, options));
    const side = options.paddingSide ?? this.paddingSide;
    const { padding = false } = options;
    if (padding === false) return toBatch(rows, { length: undefined, side, padTokenId: 0 });
    const longest = Math.max(...rows.map((row) => row.length));
    const length = padding === "maxLength" ? maxLength : longest;
    return toBatch(rows, { length, side, padTokenId: this.#requirePad() });
  }

  /**
   * A conversation as the model was trained to read it: token ids, or with `tokenize: false` the
   * text. The template writes all special tokens itself, so that none are added.
   *
   * @returns int64 tensors [1, sequence], or the text.
   * @throws TokenizerError when there is no template, or it refuses the messages.
   */
  applyChatTemplate(
    messages: readonly ChatMessage[],
    options: ChatTemplateOptions & { readonly tokenize: false },
  ): string;
  applyChatTemplate(
    messages: readonly ChatMessage[],
    options?: ChatTemplateOptions & { readonly tokenize?: true },
  ): BatchEncoding;
  applyChatTemplate(
    messages: readonly ChatMessage[],
    options: ChatTemplateOptions & { readonly tokenize?: boolean } = {},
  ): string | BatchEncoding {
    const { specialTokens } = this.#config;
    const template = this.#configJson["chat_template"];
    const text = renderChat(template, messages, { ...options, specialTokens });
    return options.tokenize === false ? text : this.tokenize(text, { addSpecialTokens: false });
  }

  /** The text of a row of token ids. */
  decode(ids: TokenIds, options: DecodeOptions = {}): string {
    const row = this.#checkIds("decode", ids);
    const special = new Set(options.skipSpecialTokens === true ? this.allSpecialIds : []);
    const kept = row.filter((id) => !special.has(id));
    if (kept.length === 0) return "";
    return this.#tokenizer.decode(kept, {
      clean_up_tokenization_spaces:
        options.cleanUpTokenizationSpaces ?? this.#config.cleanUpTokenizationSpaces,
    });
  }

  /** The texts of several rows of token ids. */
  batchDecode(rows: readonly TokenIds[], options: DecodeOptions = {}): string[] {
    return rows.map((ids) => this.decode(ids, options));
  }

  /**
   * The id of a token, spelled as in the vocabulary; of one that is not in it, the unknown token's.
   * @throws TokenizerError when there is no unknown token either.
   */
  convertTokensToIds(token: string): number;
  convertTokensToIds(tokens: readonly string[]): number[];
  convertTokensToIds(tokens: string | readonly string[]): number | number[] {
    if (typeof tokens === "string") return this.#requireId(tokens);
    return tokens.map((token) => this.#requireId(token));
  }

  /** The token of an id, spelled as in the vocabulary. */
  convertIdsToTokens(id: number | bigint): string;
  convertIdsToTokens(ids: ArrayLike<number | bigint>): string[];
  convertIdsToTokens(ids: TokenIds): string | string[] {
    const row = this.#checkIds("convertIdsToTokens", ids);
    const tokens = row.map((id) => this.#tokenizer.id_to_token(id) ?? "");
    return typeof ids === "object" ? tokens : (tokens[0] ?? "");
  }

  /**
   * Writes `tokenizer.json` and `tokenizer_config.json` (Node only), both in one step.
   * @throws FileSourceError when they cannot be written, with the path and the reason.
   */
  async savePretrained(directory: string): Promise<void> {
    const json = { "tokenizer.json": this.#json, "tokenizer_config.json": this.#configJson };
    const files = Object.entries(json).map(([name, value]): [string, FillFile] => {
      const bytes = new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
      return [name, (write) => write(bytes)];
    });
    const isSuperseded = (name: string): boolean => MERGED_FILES.has(name);
    await writeTogether(directory, { files: new Map(files), isSuperseded });
  }

  #idOf(token: string): number | undefined {
    return this.#tokenizer.token_to_id(token);
  }

  #roleId(role: TokenRole): number | undefined {
    const token = this.#config.specialTokens[role];
    return token === undefined ? undefined : this.#idOf(token);
  }

  #requireId(token: string): number {
    const id = this.#idOf(token) ?? this.unkTokenId;
    if (id !== undefined) return id;
    throw new TokenizerError(
      `convertTokensToIds: ${JSON.stringify(token)} is not in the vocabulary, and there is no ` +
        "unknown token; tokens(text) shows how the vocabulary spells a text",
    );
  }

  #requirePad(): number {
    const id = this.padTokenId;
    if (id !== undefined) return id;
    const example = this.eosToken ?? "a token of its vocabulary";
    throw new TokenizerError(
      "tokenize: this tokenizer has no padding token; name one when it is loaded: " +
        `AutoTokenizer.fromPretrained(name, { padToken: ${JSON.stringify(example)} })`,
    );
  }

  #maxLength({ padding, truncation, maxLength }: TokenizeOptions): number | undefined {
    const used = padding === "maxLength" || truncation === true;
    if (maxLength === undefined && !used) return undefined;
    if (!used) {
      throw new TokenizerError(
        `tokenize: maxLength ${maxLength} has no effect by itself: pass { truncation: true } to cut ` +
          'texts to it, { padding: "maxLength" } to pad them to it, or both',
      );
    }
    const length = maxLength ?? this.modelMaxLength;
    if (length === undefined) {
      throw new TokenizerError(
        "tokenize: maxLength is missing, and tokenizer_config.json has no model_max_length",
      );
    }
    if (Number.isSafeInteger(length) && length > 0) return length;
    throw new TokenizerError(
      `tokenize: maxLength is ${length}; a positive whole number was expected`,
    );
  }

  /** Cuts the text's own tokens, so that what stands around them stays. */
  #encodeCut(text: string, maxLength: number | undefined, options: EncodeOptions): number[] {
    const whole = this.encode(text, options);
    if (maxLength === undefined || whole.length <= maxLength) return whole;
    const bare = this.encode(text, { addSpecialTokens: false });
    const around = whole.length - bare.length;
    const kept = maxLength - around;
    if (kept < 0) {
      throw new TokenizerError(
        `tokenize: maxLength ${maxLength} has no room for the ${around} special tokens around a text`,
      );
    }
    const begin = this.#positionOf(bare, whole);
    const first = this.truncationSide === "left" ? bare.length - kept : 0;
    const middle = bare.slice(first, first + kept);
    return [...whole.slice(0, begin), ...middle, ...whole.slice(begin + bare.length)];
  }

  #positionOf(part: readonly number[], whole: readonly number[]): number {
    for (let begin = 0; begin + part.length <= whole.length; begin++) {
      if (part.every((id, i) => whole[begin + i] === id)) return begin;
    }
    throw new TokenizerError(
      "tokenize: cannot truncate: the tokenizer puts special tokens inside of a text",
    );
  }

  #checkIds(method: string, ids: TokenIds): number[] {
    if (typeof ids === "object" && !("length" in ids)) {
      throw new TokenizerError(
        `${method}: expected a row of ids; of a tensor, await toArray() first`,
      );
    }
    const row = typeof ids === "object" ? Array.from(ids, Number) : [Number(ids)];
    const wrong = row.find((id) => this.#tokenizer.id_to_token(id) === undefined);
    if (wrong === undefined) return row;
    throw new TokenizerError(
      `${method}: ${wrong} is not the id of a token; the vocabulary has ${this.vocabSize}`,
    );
  }
}

function checkText(method: string, text: unknown): string {
  if (typeof text === "string") return text;
  throw new TokenizerError(`${method}: got ${JSON.stringify(text)}; a string was expected`);
}
