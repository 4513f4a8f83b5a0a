import { Embedding } from "../../../nn/layers/embedding.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { rmsNorm } from "../../../tensor/functions/normalisation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { DecoderConfig, Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type GemmaConfig, gemmaConfig, gemmaFamily } from "./config.ts";

/** As RMSNorm, with weights that are counted from 1. */
export class GemmaRMSNorm extends Module {
  readonly eps: number;
  readonly weight: Parameter;

  constructor(width: number, { eps }: { readonly eps: number }) {
    super();
    this.eps = eps;
    this.weight = new Parameter(zeros([width]));
  }

  override forward(x: Tensor): Tensor {
    const weight = this.weight.value.add(constant(1));
    return rmsNorm(x, this.weight.shape, { weight, eps: this.eps });
  }

  override describe(): string {
    return `${this.weight.shape.join(", ")}, eps=${this.eps}`;
  }
}

/** A table of embeddings, multiplied by the square root of their width. */
export class GemmaEmbedding extends Module {
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

/** Gemma without a head. */
export class GemmaModel extends RotaryDecoder<GemmaConfig, PreNormLayer> {
  static readonly family: ModelFamily<GemmaConfig> = gemmaFamily;

  constructor(given: Given<GemmaConfig> = {}) {
    const config = gemmaConfig(given);
    const norm = (): GemmaRMSNorm =>
      new GemmaRMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, { bias: config.attentionBias }),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    super(config, { embedding: new GemmaEmbedding(config), layer, norm });
  }
}

/** Gemma as a language model: logits of the next token. */
export class GemmaForCausalLM extends DecoderForCausalLM<GemmaModel> {
  static readonly family: ModelFamily<GemmaConfig> = gemmaFamily;

  constructor(config: Given<GemmaConfig> = {}) {
    super(new GemmaModel(config));
  }
}

/** Gemma with a linear classifier on the last token that is not padding. */
export class GemmaForSequenceClassification extends DecoderForSequenceClassification<GemmaModel> {
  static readonly family: ModelFamily<GemmaConfig> = gemmaFamily;

  constructor(config: Given<GemmaConfig> = {}) {
    super(new GemmaModel(config));
  }
}
