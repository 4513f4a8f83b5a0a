import { describeValue } from "../base/describe-value.ts";
import type { FillFile } from "../files/fill-file.ts";
import { wrongOptions } from "../base/known-options.ts";
import { type BatchEncoding, requireWord, toBatch } from "./batch-encoding.ts";
import { type ChatMessage, type ChatTemplateOptions, renderChat } from "./chat-template.ts";
import { checkIds, requireOptions, unreadable, checkText } from "./check-input.ts";
import { isObject } from "../formats/json-values.ts";
import {
  parseTokenizerConfig,
  type Side,
  type TokenizerConfig,
  type TokenRole,
} from "./tokenizer-config.ts";
import { Tensor } from "../tensor/tensor.ts";
import { idsOf, rowsOf } from "./tensor-ids.ts";
import {
  type DecodeOptions,
  type EncodeOptions,
  DECODE_OPTIONS,
  ENCODE_OPTIONS,
  TOKENIZE_OPTIONS,
  type TokenIds,
  type TokenizeOptions,
  type TokenizerOptions,
} from "./tokenizer-options.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";
import { cleanUpText } from "./pipeline/clean-up.ts";
import { makePipeline } from "./pipeline/make-pipeline.ts";
import type { TokenizerPipeline } from "./pipeline/pipeline.ts";
import type { TextToken } from "./pipeline/post-processors.ts";
import type { Pushed, PushOptions } from "../files/push-options.ts";

/** Files whose fields go into `tokenizer_config.json` when it is written. */
const MERGED_FILES: ReadonlySet<string> = new Set([
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
]);

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
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const { inputIds, attentionMask } = tokenizer.tokenize(["The capital of Spain is"]);
 * console.log(tokenizer.tokens("The capital of Spain is"), inputIds.shape);
 * ```
 */
export class PreTrainedTokenizer {
  /** Number of tokens, added ones included: Python's `len(tokenizer)`. */
  readonly vocabSize: number;
  /** Ids that `skipSpecialTokens` leaves out. */
  readonly allSpecialIds: readonly number[];
  readonly #tokenizer: TokenizerPipeline;
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
    this.#config = parseTokenizerConfig(isObject(config) ? this.#configJson : config, json);
    this.#tokenizer = makePipeline(json, this.#configJson, this.#config, options.padToken);
    this.vocabSize = this.#tokenizer.size;
    if (options.padToken !== undefined && this.padTokenId === undefined) {
      throw new TokenizerError(
        `padToken ${JSON.stringify(options.padToken)} is not among the ${this.vocabSize} tokens of ` +
          "the vocabulary, so the model has no embedding for it; use one that is, such as the " +
          `end-of-text token${this.eosToken === undefined ? "" : ` ${JSON.stringify(this.eosToken)}`}`,
      );
    }
    const special = [...this.#tokenizer.addedTokens].filter(([, token]) => token.special);
    this.allSpecialIds = special.map(([id]) => id).toSorted((a, b) => a - b);
  }

  /** The same tokenizer with other decisions. */
  withOptions(options: TokenizerOptions): PreTrainedTokenizer {
    return new PreTrainedTokenizer(this.#json, this.#configJson, options);
  }

  /** Whether the files say how a conversation is written, for {@link applyChatTemplate}. */
  get hasChatTemplate(): boolean {
    const { chat_template: template } = this.#configJson;
    return typeof template === "string" || (Array.isArray(template) && template.length > 0);
  }

  /** Where short texts are filled up, unless a call says otherwise. */
  get paddingSide(): Side {
    return this.#config.paddingSide;
  }

  /** Where long texts are cut, unless a call says otherwise. */
  get truncationSide(): Side {
    return this.#config.truncationSide;
  }

  /** Tokens that the model takes at most, if the files say it. */
  get modelMaxLength(): number | undefined {
    return this.#config.modelMaxLength;
  }

  /** The token before a text, such as `<s>`; undefined without one. */
  get bosToken(): string | undefined {
    return this.#config.specialTokens.bos;
  }

  /** The id of {@link bosToken}; undefined without one. */
  get bosTokenId(): number | undefined {
    return this.#roleId("bos");
  }

  /** The token after a text, such as `</s>`; undefined without one. */
  get eosToken(): string | undefined {
    return this.#config.specialTokens.eos;
  }

  /** The id of {@link eosToken}; undefined without one. */
  get eosTokenId(): number | undefined {
    return this.#roleId("eos");
  }

  /** The token that fills up short texts, such as `[PAD]`; undefined without one. */
  get padToken(): string | undefined {
    return this.#config.specialTokens.pad;
  }

  /** The id of {@link padToken}; undefined without one. */
  get padTokenId(): number | undefined {
    return this.#roleId("pad");
  }

  /** The token for text that the vocabulary lacks, such as `[UNK]`; undefined without one. */
  get unkToken(): string | undefined {
    return this.#config.specialTokens.unk;
  }

  /** The id of {@link unkToken}; undefined without one. */
  get unkTokenId(): number | undefined {
    return this.#roleId("unk");
  }

  /** The token between two texts, such as `[SEP]`; undefined without one. */
  get sepToken(): string | undefined {
    return this.#config.specialTokens.sep;
  }

  /** The id of {@link sepToken}; undefined without one. */
  get sepTokenId(): number | undefined {
    return this.#roleId("sep");
  }

  /** The token whose state classifiers read, such as `[CLS]`; undefined without one. */
  get clsToken(): string | undefined {
    return this.#config.specialTokens.cls;
  }

  /** The id of {@link clsToken}; undefined without one. */
  get clsTokenId(): number | undefined {
    return this.#roleId("cls");
  }

  /** The token that hides another, such as `[MASK]`; undefined without one. */
  get maskToken(): string | undefined {
    return this.#config.specialTokens.mask;
  }

  /** The id of {@link maskToken}; undefined without one. */
  get maskTokenId(): number | undefined {
    return this.#roleId("mask");
  }

  /**
   * Token ids of one text.
   * @throws TokenizerError when the vocabulary has nothing for a part of it, or it ends or begins
   * within a character.
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    requireOptions("encode", options, ENCODE_OPTIONS);
    return this.#tokensOf("encode", text, options).map(({ id }) => id);
  }

  /**
   * The pieces of a text, as the vocabulary spells them (GPT-2 writes a space as "Ġ"). Unlike
   * `encode`, without special tokens unless they are asked for, as in Python.
   */
  tokens(text: string, { addSpecialTokens = false }: EncodeOptions = {}): string[] {
    return this.#tokensOf("tokens", text, { addSpecialTokens }).map(({ token }) => token);
  }

  /**
   * Which part of a text each of its tokens covers: begin and end, in UTF-16 units, or undefined
   * for a token that the tokenizer puts around it. A space belongs to the token that spells it.
   */
  offsets(
    text: string,
    options: EncodeOptions = {},
  ): (readonly [begin: number, end: number] | undefined)[] {
    const tokens = this.#tokensOf("offsets", text, options, true);
    return tokens.map(({ begin, end, isAround }) => (isAround ? undefined : [begin, end]));
  }

  #tokensOf(
    method: string,
    text: string,
    { addSpecialTokens = true }: EncodeOptions,
    offsets = false,
  ): TextToken[] {
    return this.#tokenizer.encode(checkText(method, text), { addSpecialTokens, offsets });
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
      const got = Array.isArray(batch) ? "no text" : describeValue(batch);
      throw new TokenizerError(`tokenize: got ${got}; a string or a list of them was expected`);
    }
    const wrong = wrongOptions(options, TOKENIZE_OPTIONS);
    if (wrong !== undefined) throw new TokenizerError(`tokenize: ${wrong}`);
    requireWord("padding", options.padding, [true, false, "longest", "maxLength"]);
    requireWord("paddingSide", options.paddingSide, ["left", "right"]);
    const maxLength = this.#maxLength(options);
    const cut = options.truncation === true ? maxLength : undefined;
    const rows = batch.map((text) => this.#encodeCut(text, cut, options));
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
    const text = renderChat(this.#configJson, messages, options);
    return options.tokenize === false ? text : this.tokenize(text, { addSpecialTokens: false });
  }

  /**
   * The text of a row of token ids. Ids that no token has are left out: models have more rows of
   * embeddings than there are tokens, and may choose one.
   *
   * @param ids one, a row of them, or a tensor [sequence] with known numbers.
   * @throws TokenizerError for what is no id at all, and for a tensor that is not computed yet.
   */
  decode(ids: TokenIds | Tensor, options: DecodeOptions = {}): string {
    requireOptions("decode", options, DECODE_OPTIONS);
    const row = checkIds("decode", ids instanceof Tensor ? idsOf("decode", ids, 1) : ids);
    const text = this.#tokenizer.decode(row, options.skipSpecialTokens === true);
    const cleansUp = options.cleanUpTokenizationSpaces ?? this.#config.cleanUpTokenizationSpaces;
    const isBpe = this.#tokenizer.model.isBpe && !this.#config.cleansUpBpe;
    return cleansUp && !isBpe ? cleanUpText(text) : text;
  }

  /**
   * The texts of several rows of token ids, or of a tensor [rows, sequence] with known numbers.
   * @throws TokenizerError for a tensor that is not computed yet.
   */
  batchDecode(
    rows: readonly (TokenIds | Tensor)[] | Tensor,
    options: DecodeOptions = {},
  ): string[] {
    const list = rows instanceof Tensor ? rowsOf(rows) : rows;
    if (!Array.isArray(list)) throw new TokenizerError(`batchDecode: ${unreadable(list)}`);
    return list.map((ids: TokenIds | Tensor) => this.decode(ids, options));
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

  /** The token of an id, spelled as in the vocabulary; "" for an id that no token has. */
  convertIdsToTokens(id: number | bigint): string;
  convertIdsToTokens(ids: ArrayLike<number | bigint>): string[];
  convertIdsToTokens(ids: TokenIds): string | string[] {
    const row = checkIds("convertIdsToTokens", ids);
    const tokens = row.map((id) => this.#tokenizer.token(id) ?? "");
    return typeof ids === "object" ? tokens : (tokens[0] ?? "");
  }

  /**
   * Writes `tokenizer.json` and `tokenizer_config.json` (Node only), both in one step.
   * @param options.pushToHub a repository of the Hugging Face Hub that gets them as well.
   * @returns what the Hub has now, when it was pushed there.
   * @throws FileSourceError when they cannot be written, with the path and the reason, or cannot be
   * uploaded.
   */
  async savePretrained(
    directory: string,
    options: { readonly pushToHub?: PushOptions } = {},
  ): Promise<Pushed | undefined> {
    const wrong = wrongOptions(options, { pushToHub: true });
    if (wrong !== undefined) throw new TokenizerError(`savePretrained: ${wrong}`);
    const json = { "tokenizer.json": this.#json, "tokenizer_config.json": this.#configJson };
    const files = Object.entries(json).map(([name, value]): [string, FillFile] => {
      const bytes = new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
      return [name, (write) => write(bytes)];
    });
    const isSuperseded = (name: string): boolean => MERGED_FILES.has(name);
    const wanted = { files: new Map(files), isSuperseded };
    const { saveTogether } = await import("../files/save-together.ts");
    return saveTogether("PreTrainedTokenizer.savePretrained", directory, wanted, options);
  }

  #idOf(token: string): number | undefined {
    return this.#tokenizer.id(token);
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

  /** Cuts the text's own tokens, so that the special tokens around them stay. */
  #encodeCut(text: string, maxLength: number | undefined, options: EncodeOptions): number[] {
    const whole = this.#tokensOf("tokenize", text, options);
    const own = whole.filter(({ isAround }) => !isAround);
    const around = whole.length - own.length;
    const kept = maxLength === undefined ? own.length : Math.min(own.length, maxLength - around);
    if (kept < 0) {
      throw new TokenizerError(
        `tokenize: maxLength ${maxLength} has no room for the ${around} special tokens around a text`,
      );
    }
    const first = this.truncationSide === "left" ? own.length - kept : 0;
    const stays = new Set(own.slice(first, first + kept));
    return whole.filter((token) => token.isAround || stays.has(token)).map(({ id }) => id);
  }
}
