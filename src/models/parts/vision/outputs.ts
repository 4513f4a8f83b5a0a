import type { Tensor } from "../../../tensor/tensor.ts";

/** Inputs of a model of images. */
export interface ImageInputs {
  /** [batch, channels, height, width], normalised as the checkpoint's preprocessor says. */
  readonly pixelValues: Tensor;
}

/** Outputs of a model of images without a head. All are lazy. */
export interface ImageOutput {
  /** Of the last layer: [batch, patches, width], or [batch, channels, height, width]. */
  readonly lastHiddenState: Tensor;
  /** One vector for the whole image; where the family has one. */
  readonly poolerOutput?: Tensor;
  /** What went into the first layer or stage, then the output of each. */
  readonly hiddenStates: readonly Tensor[];
  /** Attention weights of each layer, [batch, heads, patches, patches]; none where nothing attends. */
  readonly attentions: readonly Tensor[];
}

/** Inputs of a classifier of images. */
export interface ImageClassifierInputs extends ImageInputs {
  /** [batch]: class ids, or what the config's `problemType` says. */
  readonly labels?: Tensor;
}

/** Outputs of a classifier of images. */
export interface ImageClassifierOutput {
  /** [batch, labels] */
  readonly logits: Tensor;
  /** Given when `labels` were. */
  readonly loss?: Tensor;
  /** Hidden states before the first layer and after each, [batch, sequence, hidden]. */
  readonly hiddenStates: readonly Tensor[];
  /** Attention weights by layer, [batch, heads, queries, keys]. */
  readonly attentions: readonly Tensor[];
}
