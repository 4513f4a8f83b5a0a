import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { attend, type LayerOutput, splitHeads } from "../../parts/decoder/attend.ts";
import type { RotaryContext } from "../../parts/decoder/attention.ts";
import {
  attentionComponents,
  type LlamaComponent,
  mlpComponents,
} from "../../parts/decoder/card.ts";
import {
  attentionShapes,
  decoderFamily,
  decoderRows,
  edgeShapes,
  type Given,
  headDimOf,
  keyValueHeadsOf,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { beginPass, runLayers } from "../../parts/decoder/pass.ts";
import { RotaryEmbedding, rotate } from "../../parts/decoder/rotary-embedding.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Changes } from "../../parts/decoder/text-lengths.ts";
import type { DecoderInputs, DecoderOutput } from "../../parts/outputs.ts";
import { activation } from "../../settings/activations.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  flag,
  fraction,
  nonNegative,
  token,
  tokens,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Phi 1, 1.5 or 2, with Hugging Face's meanings and defaults. */
export interface PhiConfig extends RotaryConfig {
  readonly numKeyValueHeads: number | null;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the variance in layer norms. */
  readonly layerNormEps: number;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly residPdrop: number;
  /** Share of the embeddings that are dropped in training mode. */
  readonly embdPdrop: number;
  /** Norm queries and keys of each head before they are rotated. */
  readonly qkLayernorm: boolean;
}

/** What settings Phis have. */
const PHI_SETTINGS: Settings<PhiConfig> = defineRotarySettings<PhiConfig>({
  name: "PhiConfig",
  modelType: "phi",
  rope: { ropeType: "default", ropeTheta: 10_000, partialRotaryFactor: 0.5 },
  rows: {
    ...decoderRows({
      vocabSize: 51200,
      hiddenSize: 2048,
      intermediateSize: 8192,
      numHiddenLayers: 24,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 2048,
    }),
    numKeyValueHeads: width.orNull(null),
    hiddenAct: activationName("gelu_new"),
    layerNormEps: nonNegative(1e-5),
    residPdrop: fraction(0),
    embdPdrop: fraction(0),
    qkLayernorm: flag(false),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
  },
  shapes: (config) => {
    const { "layers.0.self_attn.o_proj.weight": output = [], ...others } = attentionShapes(config);
    return {
      ...edgeShapes(),
      ...others,
      "layers.0.self_attn.dense.weight": output,
      "layers.0.mlp.fc1.weight": ["intermediateSize", "hiddenSize"],
    };
  },
});

/** Phi settings: those given over the defaults, which are those of Phi 1. */
export function phiConfig(given: Given<PhiConfig> = {}): PhiConfig {
  return PHI_SETTINGS.read(given);
}

/** How checkpoints of Phi are read. */
const phiFamily: ModelFamily<PhiConfig> = decoderFamily(PHI_SETTINGS);

/** Where the components of Phi are, within the model without a head. */
const card: ModelCard<PhiConfig, LlamaComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: { ...attentionComponents({ output: "dense" }), ...mlpComponents("activation_fn") },
};

/** Attention with partly rotated heads, of which queries and keys may be normed. */
class PhiAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly q_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly k_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly v_proj: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly dense: Linear;
  /** The norm of each head's queries; undefined without one. */
  readonly q_layernorm: LayerNorm | undefined;
  /** The norm of each head's keys; undefined without one. */
  readonly k_layernorm: LayerNorm | undefined;
  /** Its input is the site of the attention weights. */
  readonly attn_dropout: Dropout;
  readonly #headDim: number;

  constructor(config: PhiConfig) {
    super();
    const { hiddenSize, initializerRange: std, layerNormEps: eps, qkLayernorm } = config;
    const headDim = headDimOf(config);
    const keys = keyValueHeadsOf(config) * headDim;
    this.q_proj = initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.k_proj = initialLinear(hiddenSize, keys, { bias: true, std });
    this.v_proj = initialLinear(hiddenSize, keys, { bias: true, std });
    this.dense = initialLinear(hiddenSize, hiddenSize, { bias: true, std });
    this.q_layernorm = qkLayernorm ? new LayerNorm(headDim, { eps }) : undefined;
    this.k_layernorm = qkLayernorm ? new LayerNorm(headDim, { eps }) : undefined;
    this.attn_dropout = new Dropout(config.attentionDropout);
    this.#headDim = headDim;
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const { rotation } = context;
    const query = this.#heads(this.q_proj.forward(x), this.q_layernorm);
    const key = this.#heads(this.k_proj.forward(x), this.k_layernorm);
    const value = splitHeads(this.v_proj.forward(x), this.#headDim);
    const added = { key: rotate(key, rotation), value };
    const [mixed, weights, cache] = attend(rotate(query, rotation), added, context, {
      scale: 1 / Math.sqrt(this.#headDim),
      dropout: this.attn_dropout,
    });
    return [this.dense.forward(mixed), weights, cache];
  }

  #heads(projected: Tensor, norm: LayerNorm | undefined): Tensor {
    const heads = splitHeads(projected, this.#headDim);
    return norm === undefined ? heads : norm.forward(heads);
  }
}

class PhiMLP extends Module {
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly fc1: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's second layer. */
  readonly fc2: Linear;
  /** The activation. */
  readonly activation_fn: Activation;

  constructor({ hiddenSize, intermediateSize, hiddenAct, initializerRange: std }: PhiConfig) {
    super();
    this.fc1 = initialLinear(hiddenSize, intermediateSize, { bias: true, std });
    this.fc2 = initialLinear(intermediateSize, hiddenSize, { bias: true, std });
    this.activation_fn = activation(hiddenAct);
  }

  override forward(x: Tensor): Tensor {
    return this.fc2.forward(this.activation_fn.forward(this.fc1.forward(x)));
  }
}

/** A layer whose attention and MLP read the same. */
class PhiDecoderLayer extends Module {
  /** The attention. */
  readonly self_attn: PhiAttention;
  /** The MLP. */
  readonly mlp: PhiMLP;
  /** The norm before attention and MLP. */
  readonly input_layernorm: LayerNorm;
  /** Acts in training mode only. */
  readonly resid_attn_dropout: Dropout;
  /** Acts in training mode only. */
  readonly resid_mlp_dropout: Dropout;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();

  constructor(config: PhiConfig) {
    super();
    this.self_attn = new PhiAttention(config);
    this.mlp = new PhiMLP(config);
    this.input_layernorm = new LayerNorm(config.hiddenSize, { eps: config.layerNormEps });
    this.resid_attn_dropout = new Dropout(config.residPdrop);
    this.resid_mlp_dropout = new Dropout(config.residPdrop);
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const normed = this.input_layernorm.forward(x);
    const [attended, weights, cache] = this.self_attn.forward(normed, context);
    const kept = this.attention_addition.forward(this.resid_attn_dropout.forward(attended));
    const fed = this.resid_mlp_dropout.forward(this.mlp.forward(normed));
    return [kept.add(this.mlp_addition.forward(fed)).add(x), weights, cache];
  }
}

/** Phi without a head. */
export class PhiModel extends PreTrainedModel {
  static readonly family: ModelFamily<PhiConfig> = phiFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<PhiConfig, LlamaComponent> = card;
  declare readonly "~components": LlamaComponent;
  readonly config: PhiConfig;
  /** The token embedding. */
  readonly embed_tokens: Embedding;
  /** Acts in training mode only. */
  readonly embed_dropout: Dropout;
  /** The layers, in order. */
  readonly layers: ModuleList<PhiDecoderLayer>;
  /** The norm after the last layer. */
  readonly final_layernorm: LayerNorm;
  /** Angles that queries and keys are turned by, from positions. */
  readonly rotary_emb: RotaryEmbedding;

  constructor(given: Given<PhiConfig> = {}) {
    super();
    const config = phiConfig(given);
    const { vocabSize, hiddenSize, maxPositionEmbeddings, initializerRange: std } = config;
    const layers = Array.from(
      { length: config.numHiddenLayers },
      () => new PhiDecoderLayer(config),
    );
    this.config = config;
    this.embed_tokens = new Embedding(vocabSize, hiddenSize, { std });
    this.embed_dropout = new Dropout(config.embdPdrop);
    this.layers = new ModuleList(layers);
    this.final_layernorm = new LayerNorm(hiddenSize, { eps: config.layerNormEps });
    const sizes = { headDim: headDimOf(config), maxPositionEmbeddings };
    this.rotary_emb = new RotaryEmbedding(config.ropeParameters, sizes);
  }

  /** Whether a cache of a text of one length is of no use at another; undefined for never. */
  get changes(): Changes | undefined {
    return this.rotary_emb.changes;
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const { embed_tokens: embed, changes } = this;
    const pass = beginPass(inputs, { name: "PhiModel", embed, changes });
    const rotation = this.rotary_emb.forward(pass.positions, pass.attentionMask);
    const mask = pass.mask();
    return runLayers(this.embed_dropout.forward(pass.embedded), {
      layers: this.layers,
      norm: this.final_layernorm,
      pass,
      context: () => ({ rotation, mask }),
    });
  }
}

/** Phi as a language model: logits of the next token. */
export class PhiForCausalLM extends DecoderForCausalLM<PhiModel> {
  static readonly family: ModelFamily<PhiConfig> = phiFamily;

  constructor(config: Given<PhiConfig> = {}) {
    super(new PhiModel(config), { bias: true });
  }
}

/** Phi with a linear classifier on the last token that is not padding. */
export class PhiForSequenceClassification extends DecoderForSequenceClassification<PhiModel> {
  static readonly family: ModelFamily<PhiConfig> = phiFamily;

  constructor(config: Given<PhiConfig> = {}) {
    super(new PhiModel(config));
  }
}
