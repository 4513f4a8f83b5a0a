import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type MistralConfig, mistralConfig, mistralFamily } from "./config.ts";

export { type MistralConfig, mistralConfig } from "./config.ts";

/** Mistral without a head. */
export class MistralModel extends RotaryDecoder<MistralConfig, PreNormLayer> {
  static readonly family: ModelFamily<MistralConfig> = mistralFamily;

  constructor(given: Given<MistralConfig> = {}) {
    const config = mistralConfig(given);
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    super(config, { layer, norm, window: () => config.slidingWindow });
  }
}

/** Mistral as a language model: logits of the next token. */
export class MistralForCausalLM extends DecoderForCausalLM<MistralModel> {
  static readonly family: ModelFamily<MistralConfig> = mistralFamily;

  constructor(config: Given<MistralConfig> = {}) {
    super(new MistralModel(config));
  }
}

/** Mistral with a linear classifier on the last token that is not padding. */
export class MistralForSequenceClassification extends DecoderForSequenceClassification<MistralModel> {
  static readonly family: ModelFamily<MistralConfig> = mistralFamily;

  constructor(config: Given<MistralConfig> = {}) {
    super(new MistralModel(config));
  }
}
