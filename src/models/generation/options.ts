import type { OptionNames } from "../../base/known-options.ts";
import type { RankedTensor } from "../../tensor/ranked.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { CausalLMOutput } from "../parts/outputs.ts";

/** Images that prompts speak of, as `forward` of a model that reads them takes them. */
export interface PromptImages {
  /** The images' pixels, in the shape that the model's `forward` takes. */
  readonly pixelValues?: Tensor;
  /** Numbers of the images' aspect ratios, [batch, images]. */
  readonly aspectRatioIds?: Tensor;
  /** Which tiles are there, [batch, images, tiles]. */
  readonly aspectRatioMask?: Tensor;
  /** Which tokens see which tiles, [batch, sequence, images, tiles]. */
  readonly crossAttentionMask?: Tensor;
}

/** What a text is continued from: tokens, as a tokenizer gives them, and images that they speak of. */
export interface GenerateInputs extends PromptImages {
  /** [batch, sequence] int64 */
  readonly inputIds: Tensor;
  /**
   * [batch, sequence]: 1 for real tokens, 0 for padding, which must be on the left.
   * @default 0 at padding tokens, if there is one that is not a stop token; else 1
   */
  readonly attentionMask?: Tensor;
}

/** One forward pass of a generation. */
export interface TraceStep {
  /** From 0. */
  readonly index: number;
  /** Whether it reads the prompt; all passes do when there is no cache. */
  readonly isPrompt: boolean;
  /** Tokens in the cache. */
  readonly pastLength: number;
  /** Tokens of the prompt, padding included. */
  readonly promptLength: number;
}

/** What a {@link PassTrace} returns. */
export interface TracedOutput extends CausalLMOutput<unknown> {
  /** Further tensors to compute in the step's program. */
  readonly also?: readonly Tensor[];
}

/** What passes of one token have in common that compute the same, each of tensors of its own. */
export interface PassKind {
  /**
   * Traces such a pass.
   *
   * @param given - What takes the places of a pass's own tensors, of their shapes.
   * @param run - Traces what the model does.
   */
  readonly trace: (given: readonly Tensor[], run: () => CausalLMOutput<unknown>) => KindOutput;
  /** What all of them read besides, computed. */
  readonly held: readonly Tensor[];
}

/** What a pass of a kind gives. */
export interface KindOutput extends TracedOutput {
  /** Shapes of what the edits met, which no edit may see change as the text grows. */
  readonly met: readonly Shape[];
}

/** A pass of one token, as one of its kind. */
export interface AlikePass {
  /** The same for passes that may be traced once for all of them. */
  readonly kind: PassKind;
  /** The tensors that it computes with and others of its kind do not. */
  readonly given: readonly Tensor[];
  /** Takes what was computed besides the model's output; called when the pass's turn comes. */
  readonly take: (also: readonly Tensor[]) => void;
}

/** Runs a forward pass; an edit scope can be opened around it. */
export type PassTrace = (step: TraceStep, run: () => CausalLMOutput<unknown>) => TracedOutput;

/** What is done with the passes of a generation. */
export interface Passes {
  /** Traces each of them by itself. */
  readonly trace: PassTrace;
  /** A pass of one token as one of a kind; undefined for one that has to be traced by itself. */
  readonly alike: (step: TraceStep) => AlikePass | undefined;
  /**
   * Called once the first pass is traced, and before anything is computed.
   *
   * @param rehearse - Traces a later pass, as it will be whatever is written until then.
   */
  readonly begin: (rehearse: (index: number, trace: PassTrace) => void) => Promise<void>;
}

/** What is known of a row when its next token is chosen. */
export interface TextSoFar {
  /** The row, prompt, padding and new tokens. */
  readonly ids: readonly number[];
  /** Which row of the batch it is; with beams and samples each prompt has several. */
  readonly row: number;
  /** Tokens of the prompt, padding included. */
  readonly promptLength: number;
}

/**
 * Changes the scores of one row's next token: logits, or with beams log-probabilities. It returns them,
 * one for each token of the vocabulary; `scores` is its own to write to.
 */
export type LogitsProcessor = (
  ids: readonly number[],
  scores: Float32Array,
  text: TextSoFar,
) => ArrayLike<number>;

/** Whether a row ends with the token that was just chosen, the last of `ids`, by `scores`. */
export type StoppingCriterion = (ids: readonly number[], scores: Float32Array) => boolean;

/** What turns ids into text, as a tokenizer does. */
export interface Decoder {
  /** The text of token ids. */
  decode(ids: readonly number[], options: { readonly cleanUpTokenizationSpaces: false }): string;
}

/**
 * Options of `generate` and `stream`. Names and formulas are Hugging Face's. What is not given is what
 * `generation_config.json` says, and else the default; `null` is as if nobody had said anything.
 */
export interface GenerateOptions {
  /** New tokens at most. @default 20, or what the model's positions leave */
  readonly maxNewTokens?: number | null;
  /** Tokens at most, prompt and padding included; give this or `maxNewTokens`. */
  readonly maxLength?: number | null;
  /** Keep stop tokens from being chosen before this many. @default 0 */
  readonly minNewTokens?: number | null;
  /** The same, prompt and padding included; `minNewTokens` goes before it. @default 0 */
  readonly minLength?: number | null;
  /** Seconds that may pass before no further token is begun. */
  readonly maxTime?: number | null;
  /** Texts that end a row where they occur in it; they need the `tokenizer`. */
  readonly stopStrings?: string | readonly string[] | null;
  /** Draw tokens at random, instead of taking the likeliest. @default false */
  readonly doSample?: boolean | null;
  /** Logits are divided by it before drawing. @default 1 */
  readonly temperature?: number | null;
  /** Draw among this many of the likeliest tokens; 0 for all. @default 50, as in Hugging Face */
  readonly topK?: number | null;
  /** Draw among the likeliest tokens that make up this probability. @default 1 */
  readonly topP?: number | null;
  /** Draw among tokens at least this many times as likely as the likeliest. @default 0 */
  readonly minP?: number | null;
  /**
   * Draw among the likeliest tokens (100 at most) whose entropy is up to this part of it all: Baghaei
   * Potraghloo and others, "Top-H Decoding", 2025.
   */
  readonly topH?: number | null;
  /**
   * Draw among the tokens whose information is nearest to what is expected, which make up this
   * probability: Meister and others, "Locally Typical Sampling", 2022. @default 1
   */
  readonly typicalP?: number | null;
  /** Draw among tokens of at least this probability. @default 0 */
  readonly epsilonCutoff?: number | null;
  /**
   * Draw among tokens of at least this probability, or less where the next token is uncertain: Hewitt
   * and others, "Truncation Sampling as Language Model Desmoothing", 2022. @default 0
   */
  readonly etaCutoff?: number | null;
  /** Above 1: make tokens less likely that are in the text already, prompt included. @default 1 */
  readonly repetitionPenalty?: number | null;
  /** Above 1: make tokens likelier that are in the prompt, or in what an encoder read. @default 1 */
  readonly encoderRepetitionPenalty?: number | null;
  /** Let no sequence of so many tokens occur twice; 0 for any. @default 0 */
  readonly noRepeatNgramSize?: number | null;
  /** Write no sequence of so many tokens that the prompt, or what an encoder read, has. @default 0 */
  readonly encoderNoRepeatNgramSize?: number | null;
  /** Sequences of tokens that are never written. */
  readonly badWordsIds?: readonly (readonly number[])[] | null;
  /** Sequences of tokens, and what is added to the score of the last of each after the others. */
  readonly sequenceBias?: readonly (readonly [ids: readonly number[], bias: number])[] | null;
  /** Tokens that are never chosen. */
  readonly suppressTokens?: readonly number[] | null;
  /** Tokens that are not chosen first. */
  readonly beginSuppressTokens?: readonly number[] | null;
  /** The token after the first of a text, as that of the language in some translators. */
  readonly forcedBosTokenId?: number | null;
  /** The token, or tokens, of which the last one is where the greatest length is reached. */
  readonly forcedEosTokenId?: number | readonly number[] | null;
  /** Tokens by their place in the text, prompt included; null leaves a place free. */
  readonly forcedDecoderIds?: readonly (readonly [place: number, id: number | null])[] | null;
  /**
   * `[start, factor]`: after `start` new tokens, stop tokens become likelier with each further one,
   * by factor ** their number.
   */
  readonly exponentialDecayLengthPenalty?: readonly [start: number, factor: number] | null;
  /** Take 0 for a logit that is not a number, and the greatest float for an infinite one. @default false */
  readonly removeInvalidValues?: boolean | null;
  /** Make log-probabilities of scores at the end of all changes. @default false */
  readonly renormalizeLogits?: boolean | null;
  /** Draw the same again: a whole number of 0 or more. @default the global generator's state */
  readonly seed?: number;
  /**
   * Continuations of each prompt; their rows follow each other. Needs `doSample`, or as many beams.
   * @default 1
   */
  readonly numReturnSequences?: number | null;
  /**
   * Beam search with this many texts at a time, where `generate` gives the likeliest whole texts that
   * it finds; with `doSample` continuations are drawn. Not in `stream`. @default 1, which is none
   */
  readonly numBeams?: number | null;
  /**
   * Texts of beams are compared by log-probability / length ** lengthPenalty: above 0 helps long
   * texts, below 0 short ones. @default 1
   */
  readonly lengthPenalty?: number | null;
  /**
   * When a beam search ends: `true` as soon as there are `numBeams` texts that ended, `false` when a
   * better one is unlikely, `"never"` when none can be better. @default false
   */
  readonly earlyStopping?: boolean | "never" | null;
  /** Tokens that end a text; null for none. @default the model's */
  readonly eosTokenId?: number | readonly number[] | null;
  /** Fills up rows that ended before others. @default the model's, else the first stop token */
  readonly padTokenId?: number | null;
  /** Begins texts where an encoder's model names no other start token. @default the model's */
  readonly bosTokenId?: number | null;
  /** Begins what is written from a source, or one token for each source. @default the model's */
  readonly decoderStartTokenId?: number | readonly number[] | null;
  /** Whisper only: what is spoken, as "en", "english" or "<|en|>". @default what the model hears */
  readonly language?: string | null;
  /** Whisper only: write what is said, or its English. @default "transcribe", where a language is given */
  readonly task?: "transcribe" | "translate" | null;
  /** Whisper only: write the times of what is said. @default false */
  readonly returnTimestamps?: boolean | null;
  /** Keep keys and values of tokens that were read. @default true */
  readonly useCache?: boolean | null;
  /** Give the logits that each token was chosen by, as the model made them. @default false */
  readonly outputLogits?: boolean | null;
  /** Give these logits after penalties, temperature and limits. @default false */
  readonly outputScores?: boolean | null;
  /** Further changes of scores, made after all penalties and before temperature and limits. */
  readonly logitsProcessors?: LogitsProcessor | readonly LogitsProcessor[];
  /** Further reasons to end a row. */
  readonly stoppingCriteria?: StoppingCriterion | readonly StoppingCriterion[];
  /** Reads `stopStrings`. */
  readonly tokenizer?: Decoder;
  /** Stops before the next token: `generate` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** @internal Runs each forward pass, and may do something around it. */
  readonly trace?: PassTrace;
  /** @internal As `trace`, knowing more of the passes. */
  readonly passes?: Passes;
}

/** Options that only a call can give. */
export type CallOption =
  "seed" | "logitsProcessors" | "stoppingCriteria" | "tokenizer" | "signal" | "trace" | "passes";

/** Options that a checkpoint's files can give too, under snake_case names. */
export type FileOption = Exclude<keyof GenerateOptions, CallOption>;

/** Names of {@link CallOption}. */
export const CALL_OPTIONS: OptionNames<Pick<GenerateOptions, CallOption>> = {
  seed: true,
  logitsProcessors: true,
  stoppingCriteria: true,
  tokenizer: true,
  signal: true,
  trace: true,
  passes: true,
};

/** One step of a generation. */
export interface GenerateStep {
  /** From 0. */
  readonly index: number;
  /** The new token of each row; the padding token for rows that had ended. */
  readonly tokens: readonly number[];
  /** Which rows have ended, by this token or an earlier one. */
  readonly ended: readonly boolean[];
  /** [rows, vocabulary], if asked for. */
  readonly logits?: Tensor;
  /** [rows, vocabulary], if asked for. */
  readonly scores?: Tensor;
}

/** Result of `generate`. */
export interface GenerateOutput {
  /** [batch * numReturnSequences, length] int64: prompts and what follows them. */
  readonly sequences: RankedTensor<2>;
  /** [rows]: log-probability / length ** lengthPenalty of each text; with beams only. */
  readonly sequencesScores?: RankedTensor<1>;
  /** [rows, vocabulary] for each new token, if asked for; with beams a row for each beam. */
  readonly logits?: readonly Tensor[];
  /** [rows, vocabulary] for each new token, if asked for. */
  readonly scores?: readonly Tensor[];
}
