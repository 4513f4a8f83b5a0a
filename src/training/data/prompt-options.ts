import type { OptionNames } from "../../base/known-options.ts";
import type { AxisName, AxisPlaces } from "../../intervenable/units/locations.ts";
import type { EncodeOptions } from "../../tokenizers/tokenizer-options.ts";
import type { PreTrainedTokenizer } from "../../tokenizers/tokenizer.ts";
import type { Side } from "../../tokenizers/tokenizer-config.ts";
import type { BatchEncoding } from "../../tokenizers/batch-encoding.ts";
import type { AlignmentExample } from "./alignment-data.ts";
import { PAIRS_OPTIONS, type PairsOptions } from "./pair-examples.ts";

/** What is needed of a tokenizer. */
export type PromptTokenizer = Pick<
  PreTrainedTokenizer,
  "encode" | "decode" | "offsets" | "paddingSide" | "padTokenId" | "vocabSize"
>;

/** What a model reads of prompts. */
export type PromptInputs = Pick<BatchEncoding, "inputIds"> &
  Partial<Pick<BatchEncoding, "attentionMask">>;

/** An example of texts: a label is what the text goes on with, " Rome", or the number of a token or class. */
export type PromptExample = AlignmentExample<string, string | number>;

/** A part of a prompt, as {@link findPositions} finds it. */
export interface PromptPart {
  /** What is looked for: all tokens that share a character with it. */
  readonly part: string;
  /** Which occurrence, from 0; negative ones count from the last. @default the only one */
  readonly occurrence?: number;
}

/** Which prompt positions are asked for. */
export interface PromptContext<Example = PromptExample> {
  /** The example that the prompt is of. */
  readonly example: Example;
  /** Its number. */
  readonly index: number;
  /** Whether it is the base, or a source. */
  readonly side: "base" | "source";
  /** The variable that is intervened on; undefined where the position of an answer is asked for. */
  readonly variable: string | undefined;
}

/** One or several positions of a prompt, without what only the prompt itself decides. */
export type KnownPlaces = number | string | PromptPart | readonly (number | string | PromptPart)[];

/**
 * Positions of a prompt. A number counts the prompt's own tokens, from the end if it is negative, and
 * never padding; `"last"` is the last token; any other text is a part of the prompt, `{ part, occurrence }`
 * one of several; a list is all of them; a function says any of these of each prompt.
 */
export type PromptPlaces<Example = PromptExample> =
  KnownPlaces | ((prompt: string, context: PromptContext<Example>) => KnownPlaces);

/**
 * Units of a site, of which positions are said of prompts: positions alone, or places along each axis
 * of a unit such as `"h.pos"`, `{ head: 3, position: "last" }`, where `"all"` is all of an axis. `null`
 * is the whole tensor.
 */
export type PromptUnits<Example = PromptExample> =
  | PromptPlaces<Example>
  | ({ readonly [K in Extract<AxisName, "position" | "key">]?: PromptPlaces<Example> } & {
      readonly [K in Exclude<AxisName, "position" | "key">]?: AxisPlaces;
    })
  | null;

/** Units that are the same in sources and base, or some for each. */
export type PromptPositions<Example = PromptExample> =
  | PromptUnits<Example>
  | { readonly source: PromptUnits<Example>; readonly base: PromptUnits<Example> };

/** How texts become counterfactual data. */
export interface PromptPairsOptions<Example extends PromptExample = PromptExample>
  extends PairsOptions, EncodeOptions {
  /**
   * Where sources are read and the base is edited: the same for all variables, or
   * `{ each: { variable: ... } }`.
   */
  readonly positions:
    | PromptPositions<Example>
    | { readonly each: Readonly<Record<string, PromptPositions<Example>>> };
  /** Where the answer is predicted: one position of a prompt. @default "last" */
  readonly labelPosition?: PromptPlaces<Example>;
  /**
   * Labels are numbers of classes below this, and not tokens.
   * @default the tokenizer's vocabulary
   */
  readonly numLabels?: number;
  /** Side that prompts are padded on. @default the tokenizer's */
  readonly paddingSide?: Side;
  /**
   * Number of tokens that all prompts are padded to.
   * @default the longest's of a list; for examples that are made when they are asked for it must be said
   */
  readonly length?: number;
}

/** Their names. */
export const PROMPT_OPTIONS: OptionNames<PromptPairsOptions> = {
  ...PAIRS_OPTIONS,
  positions: true,
  labelPosition: true,
  numLabels: true,
  paddingSide: true,
  length: true,
  addSpecialTokens: true,
};
