import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { windowsOf } from "../../parts/decoder/layer-types.ts";
import { SandwichNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelFamily } from "../../model/family.ts";
import { OffsetRMSNorm } from "../../parts/decoder/offset-rms-norm.ts";
import { ScaledEmbedding } from "../../parts/decoder/scaled-embedding.ts";
import { type Gemma2Config, gemma2Config, gemma2Family } from "./config.ts";

export { type Gemma2Config, gemma2Config } from "./config.ts";

/** Gemma 2 without a head: every other layer sees the last tokens only. */
export class Gemma2Model extends RotaryDecoder<Gemma2Config, SandwichNormLayer> {
  static readonly family: ModelFamily<Gemma2Config> = gemma2Family;

  constructor(given: Given<Gemma2Config> = {}) {
    const config = gemma2Config(given);
    const norm = (): OffsetRMSNorm =>
      new OffsetRMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): SandwichNormLayer =>
      new SandwichNormLayer({
        attention: new DecoderAttention(config, {
          bias: config.attentionBias,
          scale: 1 / Math.sqrt(config.queryPreAttnScalar),
          softcap: config.attnLogitSoftcapping,
        }),
        mlp: new GatedMLP(config, { act: config.hiddenActivation }),
        norm,
      });
    const embedding = new ScaledEmbedding(config);
    super(config, { embedding, layer, norm, window: windowsOf(config) });
  }
}

/** Gemma 2 as a language model: logits of the next token. */
export class Gemma2ForCausalLM extends DecoderForCausalLM<Gemma2Model> {
  static readonly family: ModelFamily<Gemma2Config> = gemma2Family;

  constructor(config: Given<Gemma2Config> = {}) {
    const model = new Gemma2Model(config);
    super(model, { softcap: model.config.finalLogitSoftcapping });
  }
}

/** Gemma 2 with a linear classifier on the last token that is not padding. */
export class Gemma2ForSequenceClassification extends DecoderForSequenceClassification<Gemma2Model> {
  static readonly family: ModelFamily<Gemma2Config> = gemma2Family;

  constructor(config: Given<Gemma2Config> = {}) {
    super(new Gemma2Model(config));
  }
}
