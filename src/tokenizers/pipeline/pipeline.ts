import { type AddedToken, AddedTokenFinder } from "./added-tokens.ts";
import { budgetFor } from "./budget.ts";
import { type Decoder, readDecoder } from "./decoders.ts";
import type { Fields } from "./fields.ts";
import { checkTextOfTokens } from "./growth.ts";
import { readModel, type TokenModel } from "./model.ts";
import { type Normalizer, readNormalizer } from "./normalizers.ts";
import { originOf, type Piece, slicePiece, wholePiece } from "./piece.ts";
import { type PostProcessor, readPostProcessor, type TextToken } from "./post-processors.ts";
import { type PreTokenizer, readPreTokenizer } from "./pre-tokenizers.ts";

/** How one text is encoded. */
export interface PipelineEncodeOptions {
  /** Whether the post-processor adds its tokens, such as `[CLS]`. */
  readonly addSpecialTokens: boolean;
  /** Whether tokens say where in the text they come from; it takes longer. */
  readonly offsets: boolean;
}

/** How a pipeline differs from what its file says. */
export interface PipelineOptions {
  /** Lists of tokens to add, those of tokenizer.json first. */
  readonly added: readonly (readonly AddedToken[])[];
  /** Whether special tokens in a text are text. @default false */
  readonly splitsSpecial?: boolean;
  /** Tokens that are looked for if they have an id already. */
  readonly known?: readonly AddedToken[];
  /** Makes another post-processor than tokenizer.json's of the ids of tokens. */
  readonly around?: (idOf: (token: string) => number | undefined) => PostProcessor | undefined;
}

function optional<T>(json: Fields, key: string, read: (fields: Fields) => T): T | undefined {
  return json.has(key) ? read(json.child(key)) : undefined;
}

/**
 * What a `tokenizer.json` describes: added tokens are found, the rest is normalized, split and
 * given to the model, and special tokens are put around it; and back.
 */
export class TokenizerPipeline {
  /** Turns pieces into tokens. */
  readonly model: TokenModel;
  readonly #normalize: Normalizer | undefined;
  readonly #split: PreTokenizer | undefined;
  readonly #process: PostProcessor | undefined;
  readonly #decode: Decoder | undefined;
  readonly #added: ReadonlyMap<number, AddedToken>;
  /** Texts of special tokens. */
  readonly #special: ReadonlySet<string>;
  readonly #addedIds: ReadonlyMap<string, number>;
  /** Normalized spellings of added tokens, where they differ. */
  readonly #spellings: ReadonlyMap<number, string>;
  readonly #plain: AddedTokenFinder;
  readonly #normalized: AddedTokenFinder;

  /**
   * @param json the parsed `tokenizer.json`.
   * @param options tokens to look for before the model; those without an id in the model get one
   * after all others, in order.
   * @throws TokenizerError when a part is of an unknown type or not as it should be.
   */
  constructor(json: Fields, options: PipelineOptions) {
    const { added, splitsSpecial = false, known = [], around } = options;
    this.model = readModel(json.child("model"));
    this.#normalize = optional(json, "normalizer", readNormalizer);
    this.#split = optional(json, "pre_tokenizer", readPreTokenizer);
    this.#decode = optional(json, "decoder", readDecoder);
    this.#added = this.#numbered(added, known);
    this.#addedIds = new Map(Array.from(this.#added, ([id, token]) => [token.content, id]));
    this.#process =
      around?.((token) => this.id(token)) ?? optional(json, "post_processor", readPostProcessor);
    this.#special = new Set(
      [...this.#added.values()].filter((token) => token.special).map((token) => token.content),
    );
    const entries = [...this.#added];
    const isText = (token: AddedToken): boolean => splitsSpecial && token.special;
    this.#spellings = this.#normalizedSpellings();
    this.#plain = new AddedTokenFinder(
      entries.filter(([, token]) => !token.normalized),
      (_, token) => token.content,
      isText,
    );
    this.#normalized = new AddedTokenFinder(
      entries.filter(([, token]) => token.normalized),
      (id) => this.#spellings.get(id) ?? "",
      isText,
    );
  }

  #normalizedSpellings(): Map<number, string> {
    const tokens = [...this.#added].filter(([, token]) => token.normalized);
    const length = tokens.reduce((sum, [, { content }]) => sum + content.length, 0);
    // Short texts, for which less is needed than for one that is as long as all of them.
    const budget = budgetFor(length / 6);
    const normalized = (text: string): string =>
      this.#normalize?.(wholePiece(text, false, budget)).text ?? text;
    return new Map(tokens.map(([id, token]) => [id, normalized(token.content)]));
  }

  /** Numbers tokens as they are added, one list after another. */
  #numbered(
    lists: readonly (readonly AddedToken[])[],
    known: readonly AddedToken[],
  ): Map<number, AddedToken> {
    const numbered = new Map<number, AddedToken>();
    const ids = new Map<string, number>();
    const { vocabulary } = this.model;
    for (const added of lists) {
      let next = nextId(numbered, vocabulary.size);
      for (const token of added) {
        if (token.content === "") continue;
        const id = ids.get(token.content) ?? vocabulary.id(token.content) ?? next++;
        ids.set(token.content, id);
        numbered.set(id, token);
      }
    }
    for (const token of known) {
      const id = ids.get(token.content) ?? vocabulary.id(token.content);
      if (id !== undefined) numbered.set(id, { ...token, ...numbered.get(id), special: true });
    }
    return numbered;
  }

  /** Tokens beside the model's vocabulary, by id. */
  get addedTokens(): ReadonlyMap<number, AddedToken> {
    return this.#added;
  }

  /** Number of different tokens: the model's and those added. */
  get size(): number {
    const { vocabulary } = this.model;
    const own = [...this.#addedIds.keys()].filter((token) => vocabulary.id(token) === undefined);
    return vocabulary.size + own.length;
  }

  /** The id of a token, in the vocabulary or added; undefined for none. */
  id(token: string): number | undefined {
    return this.#addedIds.get(token) ?? this.model.vocabulary.id(token);
  }

  /** The token with an id, in the vocabulary or added; undefined for none. */
  token(id: number): string | undefined {
    return this.#added.get(id)?.content ?? this.model.vocabulary.token(id);
  }

  /** @throws TokenizerError when the vocabulary has nothing for a part of the text. */
  encode(text: string, { addSpecialTokens, offsets }: PipelineEncodeOptions): TextToken[] {
    const whole = wholePiece(text, offsets);
    const tokens = this.#plain.find(text, whole.budget).flatMap(({ begin, end, id }) => {
      const piece = slicePiece(whole, begin, end);
      return id === undefined ? this.#encodeNormalized(piece) : [addedToken(piece, id)];
    });
    return this.#process?.([tokens], addSpecialTokens).flat() ?? tokens;
  }

  #encodeNormalized(part: Piece): TextToken[] {
    const whole = this.#normalize?.(part) ?? part;
    return this.#normalized.find(whole.text, whole.budget).flatMap(({ begin, end, id }) => {
      const piece = slicePiece(whole, begin, end);
      return id === undefined ? this.#encodePiece(piece) : [addedToken(piece, id)];
    });
  }

  #encodePiece(part: Piece): TextToken[] {
    const pieces = this.#split?.([part]) ?? [part];
    return pieces.flatMap((piece) => {
      const tokens = piece.text === "" ? [] : this.model.tokenize(piece.text, piece.budget);
      return tokens.map(({ id, token, begin, end }) => {
        const { spans } = piece;
        const [from, to] = spans === undefined ? [0, 0] : originOf(spans, begin, end);
        return { id, token, begin: from, end: to, isAround: false };
      });
    });
  }

  /** Text of tokens; ids that no token has are left out. */
  decode(ids: readonly number[], skipsSpecial: boolean): string {
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.#spellings.get(id) ?? this.token(id);
      if (token === undefined || (skipsSpecial && this.#special.has(token))) continue;
      tokens.push(token);
    }
    checkTextOfTokens(tokens);
    if (this.#decode === undefined) return tokens.join(" ");
    const length = tokens.reduce((sum, token) => sum + token.length, 0);
    return this.#decode(tokens, budgetFor(length)).join("");
  }
}

/** The id after all others; ids of a vocabulary may have gaps. */
function nextId(numbered: ReadonlyMap<number, AddedToken>, size: number): number {
  let last = size - 1;
  for (const id of numbered.keys()) last = Math.max(last, id);
  return last + 1;
}

function addedToken({ text, spans }: Piece, id: number): TextToken {
  const [begin, end] = spans === undefined ? [0, 0] : originOf(spans, 0, text.length);
  return { id, token: text, begin, end, isAround: false };
}
