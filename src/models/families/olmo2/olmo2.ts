import { Identity } from "../../../nn/layers/identity.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { LayerOutput } from "../../parts/decoder/attend.ts";
import { DecoderAttention, type RotaryContext } from "../../parts/decoder/attention.ts";
import type { Given } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type Olmo2Config, olmo2Config, olmo2Family } from "./config.ts";

export { type Olmo2Config, olmo2Config } from "./config.ts";

/** A layer with norms after the attention and after the MLP, which read the residual stream raw. */
class Olmo2DecoderLayer extends Module {
  readonly self_attn: DecoderAttention;
  readonly mlp: GatedMLP;
  readonly post_attention_layernorm: RMSNorm;
  readonly post_feedforward_layernorm: RMSNorm;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  readonly mlp_addition: Identity = new Identity();

  constructor(config: Olmo2Config) {
    super();
    const norm = (width: number): RMSNorm => new RMSNorm(width, { eps: config.rmsNormEps });
    this.self_attn = new DecoderAttention(config, {
      bias: config.attentionBias,
      norm: { of: "heads", make: norm },
    });
    this.mlp = new GatedMLP(config, { act: config.hiddenAct });
    this.post_attention_layernorm = norm(config.hiddenSize);
    this.post_feedforward_layernorm = norm(config.hiddenSize);
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const [attended, weights, cache] = this.self_attn.forward(x, context);
    const normed = this.post_attention_layernorm.forward(attended);
    const middle = x.add(this.attention_addition.forward(normed));
    const added = this.post_feedforward_layernorm.forward(this.mlp.forward(middle));
    return [middle.add(this.mlp_addition.forward(added)), weights, cache];
  }
}

/** OLMo 2 without a head. */
export class Olmo2Model extends RotaryDecoder<Olmo2Config, Olmo2DecoderLayer> {
  static readonly family: ModelFamily<Olmo2Config> = olmo2Family;

  constructor(given: Given<Olmo2Config> = {}) {
    const config = olmo2Config(given);
    super(config, {
      layer: () => new Olmo2DecoderLayer(config),
      norm: () => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps }),
    });
  }
}

/** OLMo 2 as a language model: logits of the next token. */
export class Olmo2ForCausalLM extends DecoderForCausalLM<Olmo2Model> {
  static readonly family: ModelFamily<Olmo2Config> = olmo2Family;

  constructor(config: Given<Olmo2Config> = {}) {
    super(new Olmo2Model(config));
  }
}

/** OLMo 2 with a linear classifier on the last token that is not padding. */
export class Olmo2ForSequenceClassification extends DecoderForSequenceClassification<Olmo2Model> {
  static readonly family: ModelFamily<Olmo2Config> = olmo2Family;

  constructor(config: Given<Olmo2Config> = {}) {
    super(new Olmo2Model(config));
  }
}
