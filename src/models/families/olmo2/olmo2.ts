import { Identity } from "../../../nn/layers/identity.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelFamily } from "../../model/family.ts";
import type { LayerOutput } from "../../parts/decoder/attend.ts";
import { DecoderAttention, type RotaryContext } from "../../parts/decoder/attention.ts";
import {
  decoderFamily,
  type GatedConfig,
  gatedRows,
  type Given,
  SIZES_7B,
} from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { flag, token, tokens } from "../../settings/kinds.ts";

/** Settings of an OLMo 2, with Hugging Face's meanings and defaults. */
export interface Olmo2Config extends GatedConfig {
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
}

/** What settings OLMos 2 have. */
const OLMO2_SETTINGS: Settings<Olmo2Config> = defineRotarySettings<Olmo2Config>({
  name: "Olmo2Config",
  modelType: "olmo2",
  rows: {
    ...gatedRows({
      ...SIZES_7B,
      vocabSize: 50_304,
      intermediateSize: 11008,
      maxPositionEmbeddings: 2048,
      rmsNormEps: 1e-5,
    }),
    attentionBias: flag(false),
    eosTokenId: tokens.orNull(50_279),
    padTokenId: token.orNull(1),
  },
});

/** OLMo 2 settings: those given over the defaults, which are those of the 7B model. */
export function olmo2Config(given: Given<Olmo2Config> = {}): Olmo2Config {
  return OLMO2_SETTINGS.read(given);
}

/** How checkpoints of OLMo 2 are read. */
const olmo2Family: ModelFamily<Olmo2Config> = decoderFamily(OLMO2_SETTINGS);

/** A layer with norms after the attention and after the MLP, which read the residual stream raw. */
class Olmo2DecoderLayer extends Module {
  /** The attention. */
  readonly self_attn: DecoderAttention;
  /** The MLP. */
  readonly mlp: GatedMLP;
  /** The norm after the attention. */
  readonly post_attention_layernorm: RMSNorm;
  /** The norm after the MLP. */
  readonly post_feedforward_layernorm: RMSNorm;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
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
