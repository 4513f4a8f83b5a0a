import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { attend, type LayerOutput, splitHeads } from "../../parts/decoder/attend.ts";
import type { RotaryContext } from "../../parts/decoder/attention.ts";
import {
  attentionComponents,
  type LlamaComponent,
  mlpComponents,
} from "../../parts/decoder/card.ts";
import {
  decoderFamily,
  edgeShapes,
  type GatedConfig,
  gatedRows,
  type Given,
  headDimOf,
  keyValueHeadsOf,
} from "../../parts/decoder/config.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { rotate } from "../../parts/decoder/rotary-embedding.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import { activation } from "../../settings/activations.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { fraction, token, tokens, whole } from "../../settings/kinds.ts";

/** Settings of a Phi-3, with Hugging Face's meanings and defaults. */
export interface Phi3Config extends GatedConfig {
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly residPdrop: number;
  /** Length of the texts that were trained on before longer ones. */
  readonly originalMaxPositionEmbeddings: number;
  /** How many tokens each one sees, itself included; null: all before it. */
  readonly slidingWindow: number | null;
}

/** Phi-3's files call longrope by names of its drafts. */
function renamed(rope: unknown): unknown {
  if (typeof rope !== "object" || rope === null) return rope;
  const { type, ...rest } = rope as { readonly type?: unknown; readonly ropeType?: unknown };
  const ropeType = rest.ropeType ?? type;
  return ropeType === "su" || ropeType === "yarn" ? { ...rest, ropeType: "longrope" } : rope;
}

const NO_BIAS = { values: [false, null], why: "a projection would have a bias" };

/** What settings Phis 3 have. */
const PHI3_SETTINGS: Settings<Phi3Config> = defineRotarySettings<Phi3Config>({
  name: "Phi3Config",
  modelType: "phi3",
  rope: { ropeType: "default", ropeTheta: 10_000, partialRotaryFactor: 1 },
  renamedRope: renamed,
  trainedLength: 4096,
  rows: {
    ...gatedRows({
      vocabSize: 32064,
      hiddenSize: 3072,
      intermediateSize: 8192,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 4096,
      rmsNormEps: 1e-5,
    }),
    residPdrop: fraction(0),
    slidingWindow: whole.orNull(null),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(32000),
    padTokenId: token.orNull(32000),
  },
  shapes: (config) => {
    const { numAttentionHeads, intermediateSize } = config;
    const heads = numAttentionHeads + 2 * keyValueHeadsOf(config);
    const width = heads * headDimOf(config);
    return {
      ...edgeShapes(),
      "layers.0.self_attn.qkv_proj.weight": [
        ["(numAttentionHeads + 2 * numKeyValueHeads) * headDim", width],
        "hiddenSize",
      ],
      "layers.0.mlp.gate_up_proj.weight": [
        ["2 * intermediateSize", 2 * intermediateSize],
        "hiddenSize",
      ],
    };
  },
  // Of dropout that no layer has, and of the first program's own attention.
  inert: ["embdPdrop", "fullAttnMod", "interpolateFactor"],
  neutral: { attentionBias: NO_BIAS, mlpBias: NO_BIAS, lmHeadBias: NO_BIAS },
});

/** Phi-3 settings: those given over the defaults, which are those of the mini model. */
export function phi3Config(given: Given<Phi3Config> = {}): Phi3Config {
  return PHI3_SETTINGS.read(given);
}

/** How checkpoints of Phi-3 are read. */
const phi3Family: ModelFamily<Phi3Config> = decoderFamily(PHI3_SETTINGS);

/** Components of a Phi-3's layers. */
type Phi3Component = LlamaComponent | "qkv_output" | "gate_up_output";

const qkv: ComponentSpec<Phi3Config> = {
  path: "layers.{layer}.self_attn.qkv_proj",
  side: "output",
  dimension: (config) =>
    (config.numAttentionHeads + 2 * keyValueHeadsOf(config)) * headDimOf(config),
};

const gateUp: ComponentSpec<Phi3Config> = {
  path: "layers.{layer}.mlp.gate_up_proj",
  side: "output",
  dimension: ({ intermediateSize }) => 2 * intermediateSize,
};

/** Where the components of Phi-3 are, within the model without a head. */
export const phi3Card: ModelCard<Phi3Config, Phi3Component> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents({ query: "query", key: "key", value: "value" }),
    ...mlpComponents("activation_fn"),
    qkv_output: qkv,
    gate_up_output: gateUp,
  },
};

/** Attention with one projection to queries, keys and values. */
class Phi3Attention extends Module {
  /** [..., hidden] -> [..., (heads + 2 × key-value heads) × width]: queries, keys and values. */
  readonly qkv_proj: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly o_proj: Linear;
  /** Sites of the three parts of the projection. */
  readonly query: Identity = new Identity();
  /** The keys, a site without weights. */
  readonly key: Identity = new Identity();
  /** The values, a site without weights. */
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
  /**
   * [..., hidden] -> [..., 2 × inner]: what the activation is taken of, and what it is multiplied
   * with.
   */
  readonly gate_up_proj: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's last layer. */
  readonly down_proj: Linear;
  /** The activation. */
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
  /** The attention. */
  readonly self_attn: Phi3Attention;
  /** The MLP. */
  readonly mlp: Phi3MLP;
  /** The norm before the attention. */
  readonly input_layernorm: RMSNorm;
  /** The norm before the MLP. */
  readonly post_attention_layernorm: RMSNorm;
  /** Acts in training mode only. */
  readonly resid_attn_dropout: Dropout;
  /** Acts in training mode only. */
  readonly resid_mlp_dropout: Dropout;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
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
