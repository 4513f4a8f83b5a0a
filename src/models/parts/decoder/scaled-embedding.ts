import { Embedding } from "../../../nn/layers/embedding.ts";
import { Module } from "../../../nn/module.ts";
import type { Parameter } from "../../../nn/parameter.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { DecoderConfig } from "./config.ts";

/** A table of embeddings, multiplied by the square root of their width: Gemma's. */
export class ScaledEmbedding extends Module {
  /** [vocabulary, width] */
  readonly weight: Parameter;
  readonly #lookUp: (ids: Tensor) => Tensor;

  constructor({ vocabSize, hiddenSize, initializerRange: std }: DecoderConfig) {
    super();
    const table = new Embedding(vocabSize, hiddenSize, { std });
    const scale = Math.sqrt(hiddenSize);
    this.weight = table.weight;
    this.#lookUp = (ids) => table.forward(ids).mul(constant(scale));
  }

  override forward(ids: Tensor): Tensor {
    return this.#lookUp(ids);
  }
}
