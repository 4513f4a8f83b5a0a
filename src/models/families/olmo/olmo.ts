import { Module } from "../../../nn/module.ts";
import { layerNorm } from "../../../tensor/functions/normalisation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type OlmoConfig, olmoConfig, olmoFamily } from "./config.ts";

export { type OlmoConfig, olmoConfig } from "./config.ts";

/** Mean 0 and variance 1 over the last dimension, with nothing learned. */
class OlmoLayerNorm extends Module {
  override forward(x: Tensor): Tensor {
    return layerNorm(x, [x.size(-1)], { eps: 1e-5 });
  }
}

/** OLMo without a head. */
export class OlmoModel extends RotaryDecoder<OlmoConfig, PreNormLayer> {
  static readonly family: ModelFamily<OlmoConfig> = olmoFamily;

  constructor(given: Given<OlmoConfig> = {}) {
    const config = olmoConfig(given);
    const norm = (): OlmoLayerNorm => new OlmoLayerNorm();
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, {
          bias: config.attentionBias,
          clip: config.clipQkv,
        }),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    super(config, { layer, norm });
  }
}

/** OLMo as a language model: logits of the next token. */
export class OlmoForCausalLM extends DecoderForCausalLM<OlmoModel> {
  static readonly family: ModelFamily<OlmoConfig> = olmoFamily;

  constructor(config: Given<OlmoConfig> = {}) {
    super(new OlmoModel(config));
  }
}

/** OLMo with a linear classifier on the last token that is not padding. */
export class OlmoForSequenceClassification extends DecoderForSequenceClassification<OlmoModel> {
  static readonly family: ModelFamily<OlmoConfig> = olmoFamily;

  constructor(config: Given<OlmoConfig> = {}) {
    super(new OlmoModel(config));
  }
}
