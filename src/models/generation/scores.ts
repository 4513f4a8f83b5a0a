import { fail } from "../../nn/errors.ts";
import type { Settings } from "./kinds.ts";
import type { LogitsProcessor, TextSoFar } from "./options.ts";
import { decay, forcedAt, forcedLast, forcedSecond, leastLength, notFirst, onlyNumbers, without } from "./processors/length.ts"; // prettier-ignore
import * as limits from "./processors/limits.ts";
import type { Process } from "./processors/process.ts";
import * as repetition from "./processors/repetition.ts";
import { noWords, sequenceBias } from "./processors/sequences.ts";
import { type Timestamps, timestamps } from "./processors/timestamps.ts";
import { tokenList } from "./settings.ts";

/** What scores are changed by, besides the settings. */
export interface ScoringContext {
  readonly eosTokenIds: ReadonlySet<number>;
  /** Tokens at most, prompt included. */
  readonly maxLength: number;
  /** Tokens before which no text may end, prompt included. */
  readonly minLength: number;
  /** For each row the prompt, or what an encoder read; undefined where it read no tokens. */
  readonly sources: readonly (readonly number[])[] | undefined;
  readonly custom: readonly LogitsProcessor[];
  /** For a Whisper that writes times. */
  readonly timestamps: Timestamps | undefined;
}

/** A change of scores under the name of the option that asks for it. */
export interface ActiveProcess {
  readonly name: string;
  readonly process: Process;
}

/** Makes a change of scores, where the settings ask for it. */
type Rule = (settings: Settings, context: ScoringContext) => Process | false;

/** Sources, which must be there. */
function needed(name: string, { sources }: ScoringContext): readonly (readonly number[])[] {
  return (
    sources ??
    fail("generate", `${name} goes by the tokens that the encoder reads: give inputIds too`)
  );
}

/** Tokens that a limit leaves, so that beams always have enough that do not end. */
function least({ numBeams }: Settings, { eosTokenIds }: ScoringContext): number {
  if (numBeams === 1) return 1;
  return Math.max(2, eosTokenIds.size + 1);
}

const isAbove = (value: number | null, bound: number): value is number =>
  value !== null && value > bound;

const isOther = (value: number | null): value is number => value !== null && value !== 1;

const isPart = (value: number | null): value is number => value !== null && value > 0 && value < 1;

function decayRule(
  { exponentialDecayLengthPenalty: given }: Settings,
  context: ScoringContext,
): Process | false {
  if (given === null) return false;
  if (context.eosTokenIds.size > 0) return decay(given, context.eosTokenIds);
  return fail(
    "generate",
    "exponentialDecayLengthPenalty makes stop tokens likelier, and there are none; pass eosTokenId",
  );
}

function timesRule(
  settings: Settings,
  { timestamps: given, eosTokenIds }: ScoringContext,
): Process | false {
  if (settings.returnTimestamps !== true) return false;
  const end = [...eosTokenIds][0] ?? settings.bosTokenId;
  if (given !== undefined && end !== null) return timestamps(given, end);
  return fail(
    "generate",
    "returnTimestamps is for a Whisper with a stop token, whose generation_config.json has " +
      "no_timestamps_token_id",
  );
}

/** Wraps what a caller gives, and checks what it returns. */
function customRule(custom: readonly LogitsProcessor[]): Process | false {
  if (custom.length === 0) return false;
  return (scores, text) => {
    for (const process of custom) {
      const changed: unknown = process(text.ids, scores, text);
      if (!isScores(changed, scores.length)) {
        fail(
          "generate",
          `a logits processor must return the ${scores.length} scores of a row, got ${describe(changed)}`,
        );
      }
      if (changed !== scores) scores.set(changed);
    }
  };
}

function isScores(value: unknown, length: number): value is ArrayLike<number> {
  if (typeof value !== "object" || value === null) return false;
  const { length: own, 0: first } = value as Partial<ArrayLike<unknown>>;
  return own === length && typeof first === "number";
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing; return scores";
  const length: unknown = Object(value).length;
  return typeof length === "number" ? `${length} values` : typeof value;
}

/**
 * Changes of the next token's scores in the order in which they are made, which is that of Hugging
 * Face's `generate`: penalties and rules, a caller's own, and where tokens are drawn the limits.
 */
const RULES: readonly (readonly [name: string, rule: Rule])[] = [
  ["sequenceBias", ({ sequenceBias: given }) => given !== null && sequenceBias(given)],
  [
    "encoderRepetitionPenalty",
    ({ encoderRepetitionPenalty: reward }, context) =>
      isOther(reward) &&
      repetition.sourceReward(reward, needed("encoderRepetitionPenalty", context)),
  ],
  [
    "repetitionPenalty",
    ({ repetitionPenalty: penalty }) => isOther(penalty) && repetition.repetitionPenalty(penalty),
  ],
  [
    "noRepeatNgramSize",
    ({ noRepeatNgramSize: size }) => isAbove(size, 0) && repetition.noRepeatedNgrams(size),
  ],
  [
    "encoderNoRepeatNgramSize",
    ({ encoderNoRepeatNgramSize: size }, context) =>
      isAbove(size, 0) &&
      repetition.noSourceNgrams(size, needed("encoderNoRepeatNgramSize", context)),
  ],
  [
    "badWordsIds",
    ({ badWordsIds: words }, { eosTokenIds }) => words !== null && noWords(words, eosTokenIds),
  ],
  [
    "minNewTokens or minLength",
    (_, { minLength, eosTokenIds }) =>
      minLength > 0 && eosTokenIds.size > 0 && leastLength(minLength, eosTokenIds),
  ],
  ["forcedBosTokenId", ({ forcedBosTokenId: id }) => id !== null && forcedSecond(id)],
  [
    "forcedEosTokenId",
    ({ forcedEosTokenId: ids }, { maxLength }) =>
      ids !== null && forcedLast(tokenList(ids), maxLength),
  ],
  ["forcedDecoderIds", ({ forcedDecoderIds: placed }) => placed !== null && forcedAt(placed)],
  ["removeInvalidValues", ({ removeInvalidValues }) => removeInvalidValues === true && onlyNumbers],
  ["exponentialDecayLengthPenalty", decayRule],
  ["suppressTokens", ({ suppressTokens: ids }) => ids !== null && without(ids)],
  [
    "beginSuppressTokens",
    ({ beginSuppressTokens: ids, forcedBosTokenId }) =>
      ids !== null && notFirst(ids, forcedBosTokenId !== null),
  ],
  ["returnTimestamps", timesRule],
  ["logitsProcessors", (_, { custom }) => customRule(custom)],
  drawn("temperature", ({ temperature: t }) => isOther(t) && limits.temperature(t)),
  drawn("topH", ({ topH: part }) => part !== null && limits.topH(part)),
  drawn("topK", (given, context) => isAbove(given.topK, 0) && limits.topK(given.topK, least(given, context))), // prettier-ignore
  drawn("topP", (given, context) => given.topP !== null && given.topP < 1 && limits.topP(given.topP, least(given, context))), // prettier-ignore
  drawn("minP", (given, context) => given.minP !== null && limits.minP(given.minP, least(given, context))), // prettier-ignore
  drawn("typicalP", (given, context) => isPart(given.typicalP) && limits.typicalP(given.typicalP, least(given, context))), // prettier-ignore
  drawn("epsilonCutoff", (given, context) => isPart(given.epsilonCutoff) && limits.epsilonCutoff(given.epsilonCutoff, least(given, context))), // prettier-ignore
  drawn("etaCutoff", (given, context) => isPart(given.etaCutoff) && limits.etaCutoff(given.etaCutoff, least(given, context))), // prettier-ignore
  [
    "renormalizeLogits",
    ({ renormalizeLogits }) => renormalizeLogits === true && limits.renormalize,
  ],
];

/** A rule for tokens that are drawn. */
function drawn(name: string, rule: Rule): readonly [string, Rule] {
  return [name, (settings, context) => settings.doSample === true && rule(settings, context)];
}

/** The changes that settings ask for, in their order; none where the logits stay as they are. */
export function processesOf(settings: Settings, context: ScoringContext): readonly ActiveProcess[] {
  return RULES.flatMap(([name, rule]) => {
    const process = rule(settings, context);
    return process === false ? [] : [{ name, process }];
  });
}

/**
 * Scores of one row's next token.
 *
 * @param logits - As the model made them, or log-probabilities; they stay as they are.
 */
export function scoresOf(
  logits: Float32Array,
  text: TextSoFar,
  processes: readonly ActiveProcess[],
): Float32Array {
  const scores = logits.slice();
  for (const { process } of processes) process(scores, text);
  return scores;
}

/** @throws ModelError for scores that are not numbers: the likeliest of them would be some token or other. */
export function requireNumbers(scores: Float32Array): void {
  if (scores.some(Number.isNaN)) fail("generate", "the model's logits are not numbers (NaN)");
}

/** @throws ModelError where the best score says that no token is left to choose. */
export function requireChoice(best: number, processes: readonly ActiveProcess[]): void {
  if (best > -Infinity) return;
  const names = processes.map(({ name }) => name).join(", ");
  const cause = names === "" ? "the model's logits are all -Infinity" : `${names} leave none`;
  fail("generate", `no token is left to choose: ${cause}`);
}
