import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { activation } from "../../settings/activations.ts";
import { attend, type LayerOutput, splitHeads } from "../../parts/decoder/attend.ts";
import type { RotaryContext } from "../../parts/decoder/attention.ts";
import { type Given, headDimOf, keyValueHeadsOf } from "../../parts/decoder/config.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { rotate } from "../../parts/decoder/rotary-embedding.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import type { ModelCard } from "../../model/card.ts";
import { phi3Card, type Phi3Component } from "./card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { type Phi3Config, phi3Config, phi3Family } from "./config.ts";

export { phi3Card } from "./card.ts";
export { type Phi3Config, phi3Config } from "./config.ts";

/** Attention with one projection to queries, keys and values. */
class Phi3Attention extends Module {
  readonly qkv_proj: Linear;
  readonly o_proj: Linear;
  /** Sites of the three parts of the projection. */
  readonly query: Identity = new Identity();
  readonly key: Identity = new Identity();
  readonly value: Identity = new Identity();
  /** Its input is the site of the attention weights. */
  readonly attn_dropout: Dropout;
  readonly #headDim: number;
  readonly #widths: readonly number[];

  constructor(config: Phi3Config) {
    super();
    const { hiddenSize, initializerRange: std, numAttentionHeads } = config;
    const headDim = headDimOf(config);
    const [queries, keys] = [numAttentionHeads * headDim, keyValueHeadsOf(config) * headDim];
    this.qkv_proj = initialLinear(hiddenSize, queries + 2 * keys, { bias: false, std });
    this.o_proj = initialLinear(queries, hiddenSize, { bias: false, std });
    this.attn_dropout = new Dropout(config.attentionDropout);
    this.#headDim = headDim;
    this.#widths = [queries, keys, keys];
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const [q, k, v] = this.qkv_proj.forward(x).split(this.#widths, -1) as [Tensor, Tensor, Tensor];
    const query = splitHeads(this.query.forward(q), this.#headDim);
    const key = splitHeads(this.key.forward(k), this.#headDim);
    const value = splitHeads(this.value.forward(v), this.#headDim);
    const { rotation } = context;
    const added = { key: rotate(key, rotation), value };
    const [mixed, weights, cache] = attend(rotate(query, rotation), added, context, {
      scale: 1 / Math.sqrt(this.#headDim),
      dropout: this.attn_dropout,
    });
    return [this.o_proj.forward(mixed), weights, cache];
  }
}

/** A gated MLP with one projection to gate and values. */
class Phi3MLP extends Module {
  readonly gate_up_proj: Linear;
  readonly down_proj: Linear;
  readonly activation_fn: Activation;

  constructor({ hiddenSize, intermediateSize, initializerRange: std, hiddenAct }: Phi3Config) {
    super();
    this.gate_up_proj = initialLinear(hiddenSize, 2 * intermediateSize, { bias: false, std });
    this.down_proj = initialLinear(intermediateSize, hiddenSize, { bias: false, std });
    this.activation_fn = activation(hiddenAct);
  }

  override forward(x: Tensor): Tensor {
    const [gate, up] = this.gate_up_proj.forward(x).chunk(2, -1) as [Tensor, Tensor];
    return this.down_proj.forward(up.mul(this.activation_fn.forward(gate)));
  }
}

class Phi3DecoderLayer extends Module {
  readonly self_attn: Phi3Attention;
  readonly mlp: Phi3MLP;
  readonly input_layernorm: RMSNorm;
  readonly post_attention_layernorm: RMSNorm;
  readonly resid_attn_dropout: Dropout;
  readonly resid_mlp_dropout: Dropout;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  readonly mlp_addition: Identity = new Identity();

  constructor(config: Phi3Config) {
    super();
    const norm = { eps: config.rmsNormEps };
    this.self_attn = new Phi3Attention(config);
    this.mlp = new Phi3MLP(config);
    this.input_layernorm = new RMSNorm(config.hiddenSize, norm);
    this.post_attention_layernorm = new RMSNorm(config.hiddenSize, norm);
    this.resid_attn_dropout = new Dropout(config.residPdrop);
    this.resid_mlp_dropout = new Dropout(config.residPdrop);
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const normed = this.input_layernorm.forward(x);
    const [attended, weights, cache] = this.self_attn.forward(normed, context);
    const kept = this.resid_attn_dropout.forward(attended);
    const middle = x.add(this.attention_addition.forward(kept));
    const added = this.mlp.forward(this.post_attention_layernorm.forward(middle));
    const keptBack = this.mlp_addition.forward(this.resid_mlp_dropout.forward(added));
    return [middle.add(keptBack), weights, cache];
  }
}

/** Phi-3 without a head. */
export class Phi3Model extends RotaryDecoder<Phi3Config, Phi3DecoderLayer, Phi3Component> {
  static readonly family: ModelFamily<Phi3Config> = phi3Family;
  static override readonly card: ModelCard<Phi3Config, Phi3Component> = phi3Card;

  constructor(given: Given<Phi3Config> = {}) {
    const config = phi3Config(given);
    super(config, {
      layer: () => new Phi3DecoderLayer(config),
      norm: () => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps }),
      window: () => config.slidingWindow,
    });
  }
}

/** Phi-3 as a language model: logits of the next token. */
export class Phi3ForCausalLM extends DecoderForCausalLM<Phi3Model> {
  static readonly family: ModelFamily<Phi3Config> = phi3Family;

  constructor(config: Given<Phi3Config> = {}) {
    super(new Phi3Model(config));
  }
}

/** Phi-3 with a linear classifier on the last token that is not padding. */
export class Phi3ForSequenceClassification extends DecoderForSequenceClassification<Phi3Model> {
  static readonly family: ModelFamily<Phi3Config> = phi3Family;

  constructor(config: Given<Phi3Config> = {}) {
    super(new Phi3Model(config));
  }
}
