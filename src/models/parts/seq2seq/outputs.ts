import type { Tensor } from "../../../tensor/tensor.ts";
import type { AudioInputs } from "../audio/inputs.ts";
import type { Encoded } from "../encoder/encode.ts";
import type { KeyValue } from "../outputs.ts";

/** Keys and values that a layer of a decoder keeps: of its own tokens, and of the encoder's. */
export interface CrossKeyValue {
  /** Keys and values of the attention within the text. */
  readonly self: KeyValue;
  /** Keys and values of the attention to the encoder's states. */
  readonly cross: KeyValue;
}

/** What a decoder beside an encoder keeps, one entry a layer. */
export type CrossCache = readonly CrossKeyValue[];

/** What an encoder reads: tokens, or sound. */
export interface Seq2SeqSource extends Partial<AudioInputs> {
  /** [batch, source] int64 */
  readonly inputIds?: Tensor;
  /** [batch, source, width], in place of `inputIds` */
  readonly inputsEmbeds?: Tensor;
  /** [batch, source], 1 for real tokens of the source and 0 for padding. @default all real */
  readonly attentionMask?: Tensor;
}

/** Inputs of an encoder with a decoder. */
export interface Seq2SeqInputs extends Seq2SeqSource {
  /** What the encoder gave in an earlier call, in place of its inputs. */
  readonly encoderOutputs?: Encoded;
  /** [batch, target] int64 */
  readonly decoderInputIds?: Tensor;
  /** [batch, target, width], in place of `decoderInputIds` */
  readonly decoderInputsEmbeds?: Tensor;
  /** [batch, past + target], 1 for real tokens and 0 for padding. @default all real */
  readonly decoderAttentionMask?: Tensor;
  /** [batch, target] int64. @default how many real tokens come before each, cached ones included */
  readonly decoderPositionIds?: Tensor;
  /** Cache of an earlier call; its tokens come before these. */
  readonly pastKeyValues?: CrossCache;
}

/** Inputs of a language model with an encoder. */
export interface Seq2SeqLMInputs extends Seq2SeqInputs {
  /**
   * [batch, target]: the tokens to give; -100 is left out. Without `decoderInputIds` the decoder
   * reads these, shifted by one after the start token.
   */
  readonly labels?: Tensor;
}

/** What the layers of both parts give. All are lazy: what is not read is not computed. */
export interface Seq2SeqStates {
  /** What a next call needs of this one; see `pastKeyValues` of the inputs. */
  readonly pastKeyValues: CrossCache;
  /** The decoder's embeddings, then each of its layers' output, the last one after the norm. */
  readonly decoderHiddenStates: readonly Tensor[];
  /** [batch, heads, target, past + target] of each layer. */
  readonly decoderAttentions: readonly Tensor[];
  /** [batch, heads, target, source] of each layer. */
  readonly crossAttentions: readonly Tensor[];
  /** [batch, source, width] */
  readonly encoderLastHiddenState: Tensor;
  /** What went into the encoder's layers, then each one's output, the last one after the norm. */
  readonly encoderHiddenStates: readonly Tensor[];
  /** [batch, heads, source, source] of each layer. */
  readonly encoderAttentions: readonly Tensor[];
}

/** Outputs of an encoder with a decoder. */
export interface Seq2SeqOutput extends Seq2SeqStates {
  /** Of the decoder, [batch, target, width]. */
  readonly lastHiddenState: Tensor;
}

/** Outputs of a language model with an encoder. */
export interface Seq2SeqLMOutput extends Seq2SeqStates {
  /** [batch, target, vocabulary] */
  readonly logits: Tensor;
  /** Mean cross-entropy of the labels; given when `labels` were. */
  readonly loss?: Tensor;
}
