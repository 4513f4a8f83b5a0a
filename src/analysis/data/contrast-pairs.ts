import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { didYouMean } from "../../base/nearest.ts";
import { toBatch } from "../../tokenizers/batch-encoding.ts";
import { nextToken, tokensRead } from "../../tokenizers/next-token.ts";
import type { EncodeOptions } from "../../tokenizers/tokenizer-options.ts";
import type {
  KnownPlaces,
  PromptInputs,
  PromptTokenizer,
} from "../../training/data/prompt-options.ts";
import { placesIn, type ReadPrompt } from "../../training/data/prompt-places.ts";
import type { ContrastBatch, ContrastData, ContrastSide } from "./contrast-data.ts";

/** Two prompts that differ in what is looked for: plain data. */
export interface ContrastPair {
  /** The prompt whose answer is `right`. */
  readonly clean: string;
  /** The prompt that it is compared with. @default the clean one, as ablations compare with nothing else */
  readonly corrupt?: string;
  /** What the clean prompt goes on with, `" Rome"`: one token, or several of which any will do. */
  readonly right: Answers;
  /** What it should not go on with, such as the corrupt prompt's answer. @default not known */
  readonly wrong?: Answers;
}

/** One answer or several: a text that is one token, or a token's number. */
export type Answers = string | number | readonly (string | number)[];

/** How prompts become pairs. */
export interface ContrastPairsOptions extends EncodeOptions {
  /**
   * Names of positions that a grid may ask for: a position or a part of each prompt, or a function of the
   * prompt and its pair. `"last"` needs no name.
   */
  readonly positions?: Readonly<
    Record<
      string,
      KnownPlaces | ((prompt: string, pair: ContrastPair, index: number) => KnownPlaces)
    >
  >;
}

const OP = "contrastPairs";
const OPTIONS: OptionNames<ContrastPairsOptions> = { positions: true, addSpecialTokens: true };
const PAIR: OptionNames<ContrastPair> = { clean: true, corrupt: true, right: true, wrong: true };

/**
 * Pairs of prompts as `sweep` and other analyses take them. Both prompts of a pair must have as many tokens,
 * so that their positions correspond; prompts of different pairs may differ in length, and are padded on the
 * tokenizer's side.
 *
 * @throws TsveneError, with the pair, for prompts of different length, an answer that is more than one token,
 * and an answer that is both right and wrong.
 *
 * @example
 * ```ts
 * import { AutoTokenizer, contrastPairs } from "tsvene";
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const pairs = contrastPairs(tokenizer, [
 *   {
 *     clean: "The capital of Italy is",
 *     corrupt: "The capital of Spain is",
 *     right: " Rome",
 *     wrong: " Madrid",
 *   },
 * ]);
 * console.log(pairs.length, pairs.batch([0]).clean.inputIds.shape); // 1 [1, 5]
 * ```
 */
export function contrastPairs(
  tokenizer: PromptTokenizer,
  pairs: readonly ContrastPair[],
  options: ContrastPairsOptions = {},
): ContrastData<PromptInputs> {
  requireKnownOptions(OP, options, OPTIONS);
  if (typeof tokenizer?.encode !== "function") {
    fail(OP, `first a tokenizer, got ${describeValue(tokenizer)}`);
  }
  if (!Array.isArray(pairs) || pairs.length === 0) {
    fail(
      OP,
      `expected at least one pair { clean, corrupt, right, wrong }, got ${describeValue(pairs)}`,
    );
  }
  return new PromptContrasts(tokenizer, pairs, options);
}

/** A pair with its texts as tokens. */
interface ReadContrast {
  readonly clean: readonly number[];
  readonly corrupt: readonly number[];
  readonly right: readonly number[];
  readonly wrong: readonly number[];
}

class PromptContrasts implements ContrastData<PromptInputs> {
  readonly #tokenizer: PromptTokenizer;
  readonly #pairs: readonly ContrastPair[];
  readonly #options: ContrastPairsOptions;
  readonly #read: readonly ReadContrast[];
  readonly #length: number;
  readonly #isPadded: boolean;
  /** Places that were looked up: the rows of a batch ask for the same ones again and again. */
  readonly #places = new Map<string, readonly number[]>();

  constructor(
    tokenizer: PromptTokenizer,
    pairs: readonly ContrastPair[],
    options: ContrastPairsOptions,
  ) {
    this.#tokenizer = tokenizer;
    this.#pairs = pairs;
    this.#options = options;
    const { positions: _, ...encoding } = options;
    this.#read = pairs.map((pair, index) => readContrast(tokenizer, pair, index, encoding));
    const lengths = this.#read.map(({ clean }) => clean.length);
    this.#length = Math.max(...lengths);
    this.#isPadded = lengths.some((length) => length < this.#length);
    if (this.#isPadded && tokenizer.padTokenId === undefined) {
      fail(
        OP,
        "pairs have different lengths, and the tokenizer has no token to pad with; name one when it is " +
          'loaded: AutoTokenizer.fromPretrained(name, { padToken: "<|endoftext|>" })',
      );
    }
  }

  get length(): number {
    return this.#pairs.length;
  }

  batch(indices: readonly number[]): ContrastBatch<PromptInputs> {
    const read = indices.map((index) => this.#at(index));
    const last = read.map(({ clean }) => this.#offset(clean) + clean.length - 1);
    const isLast = last.every((position) => position === this.#length - 1);
    return {
      indices: [...indices],
      clean: this.#inputs(read.map(({ clean }) => clean)),
      corrupt: this.#inputs(read.map(({ corrupt }) => corrupt)),
      right: read.map(({ right }) => right),
      wrong: read.map(({ wrong }) => wrong),
      ...(isLast ? {} : { answerPositions: { clean: last, corrupt: last } }),
    };
  }

  tokens(index: number, side: ContrastSide): readonly string[] {
    const ids = this.#at(index)[side];
    const before = this.#offset(ids);
    const own = tokensRead(this.#tokenizer, ids);
    const pad = (count: number): string[] => Array.from({ length: count }, () => "");
    return [...pad(before), ...own, ...pad(this.#length - before - own.length)];
  }

  places(position: number | string, index: number, side: ContrastSide): readonly number[] {
    const key = JSON.stringify([position, index, side]);
    const known = this.#places.get(key) ?? this.#find(position, index, side);
    this.#places.set(key, known);
    return known;
  }

  #find(position: number | string, index: number, side: ContrastSide): readonly number[] {
    const pair = this.#pairs[index];
    const { [side]: ids } = this.#at(index);
    const { positions = {}, ...encoding } = this.#options;
    if (pair === undefined) return fail(OP, `there is no pair ${index}`);
    const named = typeof position === "string" ? positions[position] : undefined;
    if (typeof position === "string" && position !== "last" && named === undefined) {
      const known = ["last", ...Object.keys(positions)];
      fail(OP, `there is no position named ${position}; ${didYouMean(position, known)}`);
    }
    const text = pair[side] ?? pair.clean;
    const asked = typeof named === "function" ? named(text, pair, index) : (named ?? position);
    const prompt = { text, ids, context: { index, side: "base" } } as unknown as ReadPrompt;
    const places = placesIn(OP, this.#tokenizer, asked, prompt, encoding);
    return places.map((place) => place + this.#offset(ids));
  }

  #at(index: number): ReadContrast {
    return this.#read[index] ?? fail(OP, `there is no pair ${index}; there are ${this.length}`);
  }

  #inputs(rows: readonly (readonly number[])[]): PromptInputs {
    const { paddingSide: side, padTokenId = 0 } = this.#tokenizer;
    const encoded = toBatch(rows, { length: this.#length, side, padTokenId });
    return this.#isPadded ? encoded : { inputIds: encoded.inputIds };
  }

  /** Number of padding tokens before a prompt. */
  #offset({ length }: readonly number[]): number {
    return this.#tokenizer.paddingSide === "left" ? this.#length - length : 0;
  }
}

function readContrast(
  tokenizer: PromptTokenizer,
  pair: ContrastPair,
  index: number,
  encoding: EncodeOptions,
): ReadContrast {
  requireKnownOptions(`${OP}: pair ${index}`, pair, PAIR);
  const ids = (side: ContrastSide): readonly number[] => {
    const text: unknown = pair[side] ?? pair.clean;
    if (typeof text === "string" && text !== "") return tokenizer.encode(text, encoding);
    return fail(OP, `pair ${index}: ${side} must be a text, got ${describeValue(text)}`);
  };
  const answers = (name: "right" | "wrong"): readonly number[] =>
    [pair[name] ?? []].flat().map((text: string | number) => {
      if (typeof text === "number") return requireToken(tokenizer, text, `pair ${index}: ${name}`);
      const what = { prompt: pair.clean, name: `pair ${index}: ${name}`, text };
      return nextToken(OP, tokenizer, what, encoding);
    });
  const read = { clean: ids("clean"), corrupt: ids("corrupt") };
  requireSameLength(tokenizer, read, index);
  const [right, wrong] = [answers("right"), answers("wrong")];
  if (right.length === 0) fail(OP, `pair ${index}: right is missing, what clean goes on with`);
  const both = right.find((id) => wrong.includes(id));
  if (both !== undefined) {
    const text = JSON.stringify(tokensRead(tokenizer, [both])[0]);
    fail(OP, `pair ${index}: ${text} is both right and wrong`);
  }
  return { ...read, right, wrong };
}

function requireToken({ vocabSize }: PromptTokenizer, id: number, where: string): number {
  if (isCount(id) && id < vocabSize) return id;
  return fail(OP, `${where}: there is no token ${id}; tokens are 0 to ${vocabSize - 1}`);
}

function requireSameLength(
  tokenizer: PromptTokenizer,
  { clean, corrupt }: Pick<ReadContrast, ContrastSide>,
  index: number,
): void {
  if (clean.length === corrupt.length) return;
  const listed = (ids: readonly number[]): string =>
    tokensRead(tokenizer, ids)
      .map((token) => JSON.stringify(token))
      .join(" ");
  fail(
    OP,
    `pair ${index}: clean has ${clean.length} tokens and corrupt ${corrupt.length}, so that positions do ` +
      `not correspond; write them with as many tokens:\n  clean   ${listed(clean)}\n` +
      `  corrupt ${listed(corrupt)}`,
  );
}
