import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { windowsOf } from "../../parts/decoder/layer-types.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type Qwen3Config, qwen3Config, qwen3Family } from "./config.ts";

export { type Qwen3Config, qwen3Config } from "./config.ts";

/** Qwen 3 without a head. */
export class Qwen3Model extends RotaryDecoder<Qwen3Config, PreNormLayer> {
  static readonly family: ModelFamily<Qwen3Config> = qwen3Family;

  constructor(given: Given<Qwen3Config> = {}) {
    const config = qwen3Config(given);
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, {
          bias: config.attentionBias,
          norm: { of: "head", make: (width) => new RMSNorm(width, { eps: config.rmsNormEps }) },
        }),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    const slidingWindow = config.useSlidingWindow ? config.slidingWindow : null;
    super(config, { layer, norm, window: windowsOf({ ...config, slidingWindow }) });
  }
}

/** Qwen 3 as a language model: logits of the next token. */
export class Qwen3ForCausalLM extends DecoderForCausalLM<Qwen3Model> {
  static readonly family: ModelFamily<Qwen3Config> = qwen3Family;

  constructor(config: Given<Qwen3Config> = {}) {
    super(new Qwen3Model(config));
  }
}

/** Qwen 3 with a linear classifier on the last token that is not padding. */
export class Qwen3ForSequenceClassification extends DecoderForSequenceClassification<Qwen3Model> {
  static readonly family: ModelFamily<Qwen3Config> = qwen3Family;

  constructor(config: Given<Qwen3Config> = {}) {
    super(new Qwen3Model(config));
  }
}
