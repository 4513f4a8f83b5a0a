import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { PlainLayerNorm } from "../../parts/decoder/plain-layer-norm.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type OlmoConfig, olmoConfig, olmoFamily } from "./config.ts";

export { type OlmoConfig, olmoConfig } from "./config.ts";

/** OLMo without a head. */
export class OlmoModel extends RotaryDecoder<OlmoConfig, PreNormLayer> {
  static readonly family: ModelFamily<OlmoConfig> = olmoFamily;

  constructor(given: Given<OlmoConfig> = {}) {
    const config = olmoConfig(given);
    const norm = (): PlainLayerNorm => new PlainLayerNorm();
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
