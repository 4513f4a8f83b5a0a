import type { Tensor } from "../../../tensor/tensor.ts";
import type { TokenInputs } from "../embed-inputs.ts";
import type { BaseOutput } from "../outputs.ts";

/** Inputs of an encoder of tokens. Give `inputIds` or `inputsEmbeds`. */
export interface EncoderInputs extends TokenInputs {
  /** [batch, sequence], 1 for real tokens and 0 for padding. @default all real */
  readonly attentionMask?: Tensor;
  /** [batch, sequence] int64. @default how many real tokens come before each */
  readonly positionIds?: Tensor;
}

/** Outputs of an encoder. All are lazy: what is not read is not computed. */
export interface EncoderOutput extends BaseOutput {
  /** Attention weights of each layer, [batch, heads, sequence, sequence]. */
  readonly attentions: readonly Tensor[];
}

/** Outputs of a model that fills in masked tokens. */
export interface MaskedLMOutput {
  /** [batch, sequence, vocabulary] */
  readonly logits: Tensor;
  /** Mean cross-entropy of the labelled tokens; given when `labels` were. */
  readonly loss?: Tensor;
  /** Hidden states before the first layer and after each, [batch, sequence, hidden]. */
  readonly hiddenStates: readonly Tensor[];
  /** Attention weights by layer, [batch, heads, queries, keys]. */
  readonly attentions: readonly Tensor[];
}

/** `labels` [batch, sequence]: the original tokens; -100 is left out. */
export interface WithLabels {
  /** The right answers, from which the loss is computed. */
  readonly labels?: Tensor;
}
