import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { OffsetRMSNorm } from "../../parts/decoder/offset-rms-norm.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { ScaledEmbedding } from "../../parts/decoder/scaled-embedding.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type GemmaConfig, gemmaConfig, gemmaFamily } from "./config.ts";

export { type GemmaConfig, gemmaConfig } from "./config.ts";

/** Gemma without a head. */
export class GemmaModel extends RotaryDecoder<GemmaConfig, PreNormLayer> {
  static readonly family: ModelFamily<GemmaConfig> = gemmaFamily;

  constructor(given: Given<GemmaConfig> = {}) {
    const config = gemmaConfig(given);
    const norm = (): OffsetRMSNorm =>
      new OffsetRMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, { bias: config.attentionBias }),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    super(config, { embedding: new ScaledEmbedding(config), layer, norm });
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
