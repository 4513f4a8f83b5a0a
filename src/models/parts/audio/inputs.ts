import type { Tensor } from "../../../tensor/tensor.ts";

/** Inputs of a model of sound. */
export interface AudioInputs {
  /** Spectrograms: [batch, melBins, frames] or [batch, frames, features], as the family has it. */
  readonly inputFeatures: Tensor;
}
