import type { OptionNames } from "../../tensor/known-options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { CausalLMOutput } from "../outputs.ts";

/** Images that prompts speak of, as `forward` of a model that reads them takes them. */
export interface PromptImages {
  readonly pixelValues?: Tensor;
  readonly aspectRatioIds?: Tensor;
  readonly aspectRatioMask?: Tensor;
  readonly crossAttentionMask?: Tensor;
}

/** What a text is continued from: tokens, as a tokenizer gives them, and images that they speak of. */
export interface GenerateInputs extends PromptImages {
  /** [batch, sequence] int64 */
  readonly inputIds: Tensor;
  /**
   * [batch, sequence]: 1 for real tokens, 0 for padding, which must stand on the left.
   * @default 0 where the padding token stands, if there is one that is not a stop token; else 1
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

/** What a {@link GenerateOptions.trace} returns. */
export interface TracedOutput extends CausalLMOutput<unknown> {
  /** Further tensors to compute in the step's program. */
  readonly also?: readonly Tensor[];
}

/** Options of `generate` and `stream`. Names and formulas are Hugging Face's. */
export interface GenerateOptions {
  /** New tokens at most. @default 20, or what the model's positions leave */
  readonly maxNewTokens?: number;
  /** Tokens at most, prompt and padding included; give this or `maxNewTokens`. */
  readonly maxLength?: number;
  /** Keep stop tokens from being chosen before this many. @default 0 */
  readonly minNewTokens?: number;
  /** Draw tokens at random, instead of taking the likeliest. @default false */
  readonly doSample?: boolean;
  /** Logits are divided by it before drawing. @default 1 */
  readonly temperature?: number;
  /** Draw among this many of the likeliest tokens; 0 for all. @default 50, as in Hugging Face */
  readonly topK?: number;
  /** Draw among the likeliest tokens that make up this probability. @default 1 */
  readonly topP?: number;
  /** Above 1: make tokens less likely that stand in the text already, prompt included. @default 1 */
  readonly repetitionPenalty?: number;
  /** Draw the same again: a whole number of 0 or more. @default the global generator's state */
  readonly seed?: number;
  /**
   * Continuations of each prompt; their rows follow each other. Needs `doSample`, or as many beams.
   * @default 1
   */
  readonly numReturnSequences?: number;
  /**
   * Beam search with this many texts at a time, where `generate` gives the likeliest whole texts that
   * it finds. Not with `doSample`, nor in `stream`. @default 1, which is none
   */
  readonly numBeams?: number;
  /**
   * Texts of beams are compared by log-probability / length ** lengthPenalty: above 0 helps long
   * texts, below 0 short ones. @default 1
   */
  readonly lengthPenalty?: number;
  /**
   * When a beam search ends: `true` as soon as there are `numBeams` texts that ended, `false` when a
   * better one is unlikely, `"never"` when none can be better. @default false
   */
  readonly earlyStopping?: boolean | "never";
  /** Tokens that end a text; null for none. @default the model's */
  readonly eosTokenId?: number | readonly number[] | null;
  /** Fills up rows that ended before others. @default the model's, else the first stop token */
  readonly padTokenId?: number | null;
  /** Keep keys and values of tokens that were read. @default true */
  readonly useCache?: boolean;
  /** Give the logits that each token was chosen by, as the model made them. @default false */
  readonly outputLogits?: boolean;
  /** Give these logits after penalties, temperature and limits. @default false */
  readonly outputScores?: boolean;
  /** Stops before the next token: `generate` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** @internal Runs each forward pass; an edit scope can be opened around it. */
  readonly trace?: (step: TraceStep, run: () => CausalLMOutput<unknown>) => TracedOutput;
}

/** Their names. */
export const GENERATE_OPTIONS: OptionNames<GenerateOptions> = {
  maxNewTokens: true,
  maxLength: true,
  minNewTokens: true,
  doSample: true,
  temperature: true,
  topK: true,
  topP: true,
  repetitionPenalty: true,
  seed: true,
  numReturnSequences: true,
  numBeams: true,
  lengthPenalty: true,
  earlyStopping: true,
  eosTokenId: true,
  padTokenId: true,
  useCache: true,
  outputLogits: true,
  outputScores: true,
  signal: true,
  trace: true,
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
  readonly sequences: Tensor;
  /** [rows]: log-probability / length ** lengthPenalty of each text; with beams only. */
  readonly sequencesScores?: Tensor;
  /** [rows, vocabulary] for each new token, if asked for; with beams a row for each beam. */
  readonly logits?: readonly Tensor[];
  /** [rows, vocabulary] for each new token, if asked for. */
  readonly scores?: readonly Tensor[];
}
