import type { Tensor } from "../../tensor/tensor.ts";

/** Keys and values of one layer's past tokens, [batch, heads, past, headDim] each. */
export interface KeyValue {
  /** Keys, [batch, heads, sequence, width]. */
  readonly key: Tensor;
  /** Values, [batch, heads, sequence, width]. */
  readonly value: Tensor;
}

/** What a decoder keeps of the tokens it has seen, one entry a layer. */
export type KeyValueCache = readonly KeyValue[];

/**
 * Inputs of a decoder. Give `inputIds` or `inputsEmbeds`. `Cache` is what the family keeps of the
 * tokens it has read.
 */
export interface DecoderInputs<Cache = KeyValueCache> {
  /** [batch, sequence] int64 */
  readonly inputIds?: Tensor;
  /**
   * [batch, past + sequence], 1 for real tokens and 0 for padding.
   * @default all real, but for what the cache's mask left out
   */
  readonly attentionMask?: Tensor;
  /** [batch, sequence] int64. @default how many real tokens come before each, cached ones included */
  readonly positionIds?: Tensor;
  /** [batch, sequence, width], in place of `inputIds` */
  readonly inputsEmbeds?: Tensor;
  /** Cache of an earlier call; its tokens come before these. */
  readonly pastKeyValues?: Cache;
}

/** What every model without a head gives. All outputs are lazy: what is not read is not computed. */
export interface BaseOutput {
  /** [batch, sequence, width] */
  readonly lastHiddenState: Tensor;
  /** What went into the first layer, then each layer's output. */
  readonly hiddenStates: readonly Tensor[];
}

/** Outputs of a decoder. All are lazy: what is not read is not computed. */
export interface DecoderOutput<Cache = KeyValueCache> {
  /** [batch, sequence, width] after the final norm. */
  readonly lastHiddenState: Tensor;
  /** The embeddings, then each layer's output, the last one after the final norm. */
  readonly hiddenStates: readonly Tensor[];
  /** Attention weights of each layer, [batch, heads, sequence, past + sequence]. */
  readonly attentions: readonly Tensor[];
  /** What a next call needs of this one; see `pastKeyValues` of the inputs. */
  readonly pastKeyValues: Cache;
}

/** Inputs of a language model. */
export interface CausalLMInputs<Cache = KeyValueCache> extends DecoderInputs<Cache> {
  /** [batch, sequence]: the ids themselves, which the loss shifts; -100 is left out. */
  readonly labels?: Tensor;
}

/** Outputs of a language model. */
export interface CausalLMOutput<Cache = KeyValueCache> {
  /** [batch, sequence, vocabulary] */
  readonly logits: Tensor;
  /** Mean cross-entropy of each next token; given when `labels` were. */
  readonly loss?: Tensor;
  /** Hidden states before the first layer and after each, [batch, sequence, hidden]. */
  readonly hiddenStates: readonly Tensor[];
  /** Attention weights by layer, [batch, heads, queries, keys]. */
  readonly attentions: readonly Tensor[];
  /** What a next call needs of this one; see `pastKeyValues` of the inputs. */
  readonly pastKeyValues: Cache;
}

/** Outputs of a classifier of sequences. */
export interface SequenceClassifierOutput {
  /** [batch, labels] */
  readonly logits: Tensor;
  /** Given when `labels` were. */
  readonly loss?: Tensor;
  /** Hidden states before the first layer and after each, [batch, sequence, hidden]. */
  readonly hiddenStates: readonly Tensor[];
  /** Attention weights by layer, [batch, heads, queries, keys]. */
  readonly attentions: readonly Tensor[];
}
