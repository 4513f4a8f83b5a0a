import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { windowsOf } from "../../parts/decoder/layer-types.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type Qwen2Config, qwen2Config, qwen2Family } from "./config.ts";

export { type Qwen2Config, qwen2Config } from "./config.ts";

/** Qwen 2 without a head. */
export class Qwen2Model extends RotaryDecoder<Qwen2Config, PreNormLayer> {
  static readonly family: ModelFamily<Qwen2Config> = qwen2Family;

  constructor(given: Given<Qwen2Config> = {}) {
    const config = qwen2Config(given);
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, { bias: true, outputBias: false }),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    const slidingWindow = config.useSlidingWindow ? config.slidingWindow : null;
    super(config, { layer, norm, window: windowsOf({ ...config, slidingWindow }) });
  }
}

/** Qwen 2 as a language model: logits of the next token. */
export class Qwen2ForCausalLM extends DecoderForCausalLM<Qwen2Model> {
  static readonly family: ModelFamily<Qwen2Config> = qwen2Family;

  constructor(config: Given<Qwen2Config> = {}) {
    super(new Qwen2Model(config));
  }
}

/** Qwen 2 with a linear classifier on the last token that is not padding. */
export class Qwen2ForSequenceClassification extends DecoderForSequenceClassification<Qwen2Model> {
  static readonly family: ModelFamily<Qwen2Config> = qwen2Family;

  constructor(config: Given<Qwen2Config> = {}) {
    super(new Qwen2Model(config));
  }
}
