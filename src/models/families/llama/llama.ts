import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type LlamaConfig, llamaConfig, llamaFamily } from "./config.ts";

export { type LlamaConfig, llamaConfig } from "./config.ts";

/** Llama without a head. */
export class LlamaModel extends RotaryDecoder<LlamaConfig, PreNormLayer> {
  static readonly family: ModelFamily<LlamaConfig> = llamaFamily;

  constructor(given: Given<LlamaConfig> = {}) {
    const config = llamaConfig(given);
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, { bias: config.attentionBias }),
        mlp: new GatedMLP(config, { act: config.hiddenAct, bias: config.mlpBias }),
        norm,
      });
    super(config, { layer, norm });
  }
}

/** Llama as a language model: logits of the next token. */
export class LlamaForCausalLM extends DecoderForCausalLM<LlamaModel> {
  static readonly family: ModelFamily<LlamaConfig> = llamaFamily;

  constructor(config: Given<LlamaConfig> = {}) {
    super(new LlamaModel(config));
  }
}

/** Llama with a linear classifier on the last token that is not padding. */
export class LlamaForSequenceClassification extends DecoderForSequenceClassification<LlamaModel> {
  static readonly family: ModelFamily<LlamaConfig> = llamaFamily;

  constructor(config: Given<LlamaConfig> = {}) {
    super(new LlamaModel(config));
  }
}
