import { isCount } from "../../base/is-count.ts";
import type { FileOption, GenerateOptions } from "./options.ts";

/** Which values of an option are right, whoever gives it: a call, or a file. */
export interface Kind {
  /** What is wanted, for a message. */
  readonly wanted: string;
  readonly fits: (value: unknown) => boolean;
  /** The tokens that it names, which must be in the vocabulary. @default none */
  readonly tokens?: (value: never) => readonly number[];
}

interface Bounds {
  readonly min: number;
  readonly max?: number;
  /** Whether `min` itself is out. */
  readonly above?: boolean;
  readonly whole?: boolean;
}

function number({ min, max = Infinity, above = false, whole = false }: Bounds): Kind {
  const kind = whole ? "a whole number" : "a number";
  const lower = above ? ` above ${min}` : ` of ${min} or more`;
  const upper = max === Infinity ? "" : ` and at most ${max}`;
  return {
    wanted: `${kind}${min === -Infinity ? "" : lower}${upper}`,
    fits: (value) =>
      typeof value === "number" &&
      (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
      (above ? value > min : value >= min) &&
      value <= max,
  };
}

function oneOf(...words: readonly (string | boolean)[]): Kind {
  const written = words.map((word) => JSON.stringify(word));
  return {
    wanted: `${written.slice(0, -1).join(", ")} or ${written.at(-1)}`,
    fits: (value) => words.some((word) => word === value),
  };
}

const isIds = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);
const isWord = (value: unknown): value is number[] => isIds(value) && value.length > 0;

const TOKEN: Kind = {
  wanted: "a token: a whole number of 0 or more",
  fits: isCount,
  tokens: (id: number) => [id],
};
const TOKENS: Kind = {
  wanted: "a list of tokens: whole numbers of 0 or more",
  fits: isIds,
  tokens: (ids: number[]) => ids,
};
const TOKEN_OR_TOKENS: Kind = {
  wanted: "a token or a list of them: whole numbers of 0 or more",
  fits: (value) => isCount(value) || isIds(value),
  tokens: (ids: number | number[]) => [ids].flat(),
};
const WORDS: Kind = {
  wanted: "a list of lists of tokens, such as [[5, 9], [7]], and none of them empty",
  fits: (value) => Array.isArray(value) && value.length > 0 && value.every(isWord),
  tokens: (words: number[][]) => words.flat(),
};

/** Python's files may hold infinities. */
const isBias = (value: unknown): boolean => typeof value === "number" && !Number.isNaN(value);

const isPair = (value: unknown): value is readonly [unknown, unknown] =>
  Array.isArray(value) && value.length === 2;

const BIASES: Kind = {
  wanted: "a list of tokens and what is added, such as [[[5, 9], -2.5], [[7], 1.5]]",
  fits: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((pair) => isPair(pair) && isWord(pair[0]) && isBias(pair[1])),
  tokens: (biases: [number[], number][]) => biases.flatMap(([ids]) => ids),
};
const PLACED: Kind = {
  wanted: "a list of places and tokens, such as [[1, 5], [2, 9]]",
  fits: (value) =>
    Array.isArray(value) &&
    value.every(
      (pair) => isPair(pair) && isCount(pair[0]) && (pair[1] === null || isCount(pair[1])),
    ),
  tokens: (placed: [number, number | null][]) => placed.flatMap(([, id]) => id ?? []),
};
const DECAY: Kind = {
  wanted: "[start, factor]: a whole number of 0 or more, and a number above 0",
  fits: (value) =>
    isPair(value) && isCount(value[0]) && Number.isFinite(value[1]) && Number(value[1]) > 0,
};
const STRINGS: Kind = {
  wanted: "a text or a list of texts, and none of them empty",
  fits: (value) => {
    const texts: readonly unknown[] = [value].flat();
    return texts.length > 0 && texts.every((text) => typeof text === "string" && text !== "");
  },
};
const TEXT: Kind = { wanted: "a text", fits: (value) => typeof value === "string" };
const FLAG = oneOf(true, false);
const COUNT = number({ min: 0, whole: true });
const MORE_THAN_NONE = number({ min: 1, whole: true });
const PROBABILITY = number({ min: 0, max: 1 });
/** Rows are copies of a prompt: this many take all memory, and no file means it. */
const MOST_ROWS = 10_000;
const ROWS = number({ min: 1, max: MOST_ROWS, whole: true });
const MOST_BEAMS = 1000;

/** Of each option that a file may give. */
export const KINDS: { readonly [K in FileOption]: Kind } = {
  maxNewTokens: MORE_THAN_NONE,
  maxLength: MORE_THAN_NONE,
  minNewTokens: COUNT,
  minLength: COUNT,
  maxTime: number({ min: 0, above: true }),
  stopStrings: STRINGS,
  doSample: FLAG,
  temperature: number({ min: 0, above: true }),
  topK: COUNT,
  topP: PROBABILITY,
  minP: PROBABILITY,
  topH: number({ min: 0, max: 1, above: true }),
  typicalP: number({ min: 0, max: 1, above: true }),
  epsilonCutoff: PROBABILITY,
  etaCutoff: PROBABILITY,
  repetitionPenalty: number({ min: 0, above: true }),
  encoderRepetitionPenalty: number({ min: 0, above: true }),
  noRepeatNgramSize: COUNT,
  encoderNoRepeatNgramSize: COUNT,
  badWordsIds: WORDS,
  sequenceBias: BIASES,
  suppressTokens: TOKENS,
  beginSuppressTokens: TOKENS,
  forcedBosTokenId: TOKEN,
  forcedEosTokenId: TOKEN_OR_TOKENS,
  forcedDecoderIds: PLACED,
  exponentialDecayLengthPenalty: DECAY,
  removeInvalidValues: FLAG,
  renormalizeLogits: FLAG,
  numReturnSequences: ROWS,
  numBeams: number({ min: 1, max: MOST_BEAMS, whole: true }),
  lengthPenalty: number({ min: -Infinity }),
  earlyStopping: oneOf(true, false, "never"),
  eosTokenId: TOKEN_OR_TOKENS,
  padTokenId: TOKEN,
  bosTokenId: TOKEN,
  decoderStartTokenId: TOKEN_OR_TOKENS,
  language: TEXT,
  task: oneOf("transcribe", "translate"),
  returnTimestamps: FLAG,
  useCache: FLAG,
  outputLogits: FLAG,
  outputScores: FLAG,
};

/** What an option is, after all is said. */
export type Settings = {
  readonly [K in FileOption]-?: Exclude<GenerateOptions[K], undefined>;
};

/** What each option is where neither call nor file says anything. */
export const DEFAULTS: Settings = {
  maxNewTokens: null,
  maxLength: null,
  minNewTokens: null,
  minLength: null,
  maxTime: null,
  stopStrings: null,
  doSample: false,
  temperature: 1,
  topK: 50,
  topP: 1,
  minP: null,
  topH: null,
  typicalP: 1,
  epsilonCutoff: 0,
  etaCutoff: 0,
  repetitionPenalty: 1,
  encoderRepetitionPenalty: 1,
  noRepeatNgramSize: 0,
  encoderNoRepeatNgramSize: 0,
  badWordsIds: null,
  sequenceBias: null,
  suppressTokens: null,
  beginSuppressTokens: null,
  forcedBosTokenId: null,
  forcedEosTokenId: null,
  forcedDecoderIds: null,
  exponentialDecayLengthPenalty: null,
  removeInvalidValues: false,
  renormalizeLogits: false,
  numReturnSequences: 1,
  numBeams: 1,
  lengthPenalty: 1,
  earlyStopping: false,
  eosTokenId: null,
  padTokenId: null,
  bosTokenId: null,
  decoderStartTokenId: null,
  language: null,
  task: null,
  returnTimestamps: false,
  useCache: true,
  outputLogits: false,
  outputScores: false,
};
