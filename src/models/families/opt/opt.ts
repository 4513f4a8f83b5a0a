import { fail } from "../../../nn/errors.ts";
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
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import {
  attend,
  type LayerContext,
  type LayerOutput,
  splitHeads,
} from "../../parts/decoder/attend.ts";
import {
  type ClassifierInputs,
  classifierOutput,
  languageModelOutput,
  outputLayer,
} from "../../parts/decoder/heads.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { beginPass, runLayers } from "../../parts/decoder/pass.ts";
import { PlainLayerNorm } from "../../parts/decoder/plain-layer-norm.ts";
import {
  attentionParts,
  type LayerPart,
  mlpParts,
  SELF_ATTENTION,
} from "../../parts/layer-components.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
  SequenceClassifierOutput,
} from "../../parts/outputs.ts";
import { activation } from "../../settings/activations.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings, type Settings } from "../../settings/define-settings.ts";
import type { Dimension } from "../../settings/fits-checkpoint.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  nonNegative,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Rows of the table of positions before that of the first token: position ids once began at 2. */
const FIRST_POSITION = 2;

/** Settings of an OPT, with Hugging Face's meanings and defaults. */
export interface OPTConfig extends ModelConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Width inside the MLP. */
  readonly ffnDim: number;
  /** Longest sequence. */
  readonly maxPositionEmbeddings: number;
  /** Heads of each attention. */
  readonly numAttentionHeads: number;
  /** Norm before attention and MLP, and after the last layer; else after attention and MLP. */
  readonly doLayerNormBefore: boolean;
  /** Leave out the norm after the last layer. */
  readonly removeFinalLayerNorm: boolean;
  /** Width of tokens before they are projected to the residual stream; null: as wide as it. */
  readonly wordEmbedProjDim: number | null;
  /** Name of the activation in the MLP, such as "gelu_new". */
  readonly activationFunction: string;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly dropout: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionDropout: number;
  /** Bias of all projections within layers. */
  readonly enableBias: boolean;
  /** Norms have a learned scale and shift. */
  readonly layerNormElementwiseAffine: boolean;
  /** Standard deviation of the weights to start from. */
  readonly initStd: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

/** Width of tokens, before they are projected to that of the residual stream. */
function tokenWidth({ wordEmbedProjDim, hiddenSize }: OPTConfig): number {
  return wordEmbedProjDim ?? hiddenSize;
}

/** What settings OPTs have. */
const OPT_SETTINGS: Settings<OPTConfig> = defineSettings<OPTConfig>({
  name: "OPTConfig",
  modelType: "opt",
  rows: {
    vocabSize: width(50272),
    hiddenSize: width(768),
    numHiddenLayers: count(12),
    ffnDim: width(3072),
    maxPositionEmbeddings: width(2048),
    numAttentionHeads: width(12),
    doLayerNormBefore: flag(true),
    // Files call it "_remove_final_layer_norm".
    removeFinalLayerNorm: flag(false, { names: ["RemoveFinalLayerNorm"] }),
    wordEmbedProjDim: width.orNull(null),
    activationFunction: activationName("relu"),
    dropout: fraction(0.1),
    attentionDropout: fraction(0),
    enableBias: flag(true),
    layerNormElementwiseAffine: flag(true),
    initStd: nonNegative(0.02),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    bosTokenId: token.orNull(2),
    eosTokenId: tokens.orNull(2),
    padTokenId: token.orNull(1),
  },
  // Training left out whole layers so; and dropout that no layer has.
  inert: ["layerdrop", "activationDropout"],
  neutral: {
    scaleEmbeddings: { values: [false], why: "tokens would be multiplied by a number" },
    learnedEmbeddings: { values: [true], why: "positions would not be learned" },
  },
  written: ({ removeFinalLayerNorm }) => ({ RemoveFinalLayerNorm: removeFinalLayerNorm }),
  numbered: [{ path: "decoder.layers", setting: "numHiddenLayers" }],
  shapes: ({ wordEmbedProjDim, maxPositionEmbeddings: most }) => {
    const token: Dimension = wordEmbedProjDim === null ? "hiddenSize" : "wordEmbedProjDim";
    const positions: Dimension = [
      `maxPositionEmbeddings + ${FIRST_POSITION}`,
      most + FIRST_POSITION,
    ];
    return {
      "decoder.embed_tokens.weight": ["vocabSize", token],
      "decoder.embed_positions.weight": [positions, "hiddenSize"],
      "lm_head.weight": ["vocabSize", token],
      "score.weight": ["numLabels", token],
      "decoder.layers.0.self_attn.q_proj.weight": ["hiddenSize", "hiddenSize"],
      "decoder.layers.0.fc1.weight": ["ffnDim", "hiddenSize"],
    };
  },
  complete: (config) => {
    const { hiddenSize, numAttentionHeads: heads } = config;
    if (hiddenSize % heads === 0) return config;
    const sizes = `hiddenSize (${hiddenSize}) must be a multiple of numAttentionHeads (${heads})`;
    return fail("OPTConfig", sizes);
  },
});

/**
 * OPT settings: those given over the defaults, which are those of the 125M model.
 * @throws ModelError for sizes that cannot be.
 */
export function optConfig(given: Partial<OPTConfig> = {}): OPTConfig {
  return OPT_SETTINGS.read(given);
}

/** How checkpoints of OPT are read. */
const optFamily: ModelFamily<OPTConfig> = declareFamily(OPT_SETTINGS, {
  basePrefix: "model",
});

/** What sizes the components have. */
const SIZES = {
  width: ({ hiddenSize }: OPTConfig): number => hiddenSize,
  heads: ({ numAttentionHeads }: OPTConfig): number => numAttentionHeads,
  inner: ({ ffnDim }: OPTConfig): number => ffnDim,
};

const LAYER = "decoder.layers.{layer}";

const ATTENTION = {
  ...SELF_ATTENTION,
  addition: ".attention_addition",
  weight: ".self_attn.attn_dropout",
};

const MLP = {
  input: ".fc1",
  output: ".fc2",
  addition: ".mlp_addition",
  activation: ".activation_fn",
};

/** Where the components of OPT are, within the model without a head. */
const card: ModelCard<OPTConfig, LayerPart> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts(LAYER, ATTENTION, SIZES),
    ...mlpParts(LAYER, MLP, SIZES),
  },
};

/** A layer norm, with or without weights. */
type Norm = LayerNorm | PlainLayerNorm;

function normOf({ hiddenSize, layerNormElementwiseAffine: isLearned }: OPTConfig): Norm {
  return isLearned ? new LayerNorm(hiddenSize) : new PlainLayerNorm();
}

class OPTAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly k_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly v_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly q_proj: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly out_proj: Linear;
  /** Its input is the site of the attention weights. */
  readonly attn_dropout: Dropout;
  readonly #headDim: number;

  constructor(config: OPTConfig) {
    super();
    const { hiddenSize, enableBias: bias, initStd: std } = config;
    const projection = (): Linear => initialLinear(hiddenSize, hiddenSize, { bias, std });
    this.k_proj = projection();
    this.v_proj = projection();
    this.q_proj = projection();
    this.out_proj = projection();
    this.attn_dropout = new Dropout(config.attentionDropout);
    this.#headDim = hiddenSize / config.numAttentionHeads;
  }

  override forward(x: Tensor, context: LayerContext): LayerOutput {
    const query = splitHeads(this.q_proj.forward(x), this.#headDim);
    const key = splitHeads(this.k_proj.forward(x), this.#headDim);
    const value = splitHeads(this.v_proj.forward(x), this.#headDim);
    const [mixed, weights, cache] = attend(query, { key, value }, context, {
      scale: 1 / Math.sqrt(this.#headDim),
      dropout: this.attn_dropout,
    });
    return [this.out_proj.forward(mixed), weights, cache];
  }
}

class OPTDecoderLayer extends Module {
  /** The attention. */
  readonly self_attn: OPTAttention;
  /** The norm of the attention, before or after it. */
  readonly self_attn_layer_norm: Norm;
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly fc1: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's second layer. */
  readonly fc2: Linear;
  /** The activation. */
  readonly activation_fn: Activation;
  /** The norm of the MLP, before or after it. */
  readonly final_layer_norm: Norm;
  /** Acts in training mode only. */
  readonly post_attention_dropout: Dropout;
  /** Acts in training mode only. */
  readonly post_mlp_dropout: Dropout;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();
  readonly #normsBefore: boolean;

  constructor(config: OPTConfig) {
    super();
    const { hiddenSize, ffnDim, enableBias: bias, initStd: std } = config;
    this.self_attn = new OPTAttention(config);
    this.self_attn_layer_norm = normOf(config);
    this.fc1 = initialLinear(hiddenSize, ffnDim, { bias, std });
    this.fc2 = initialLinear(ffnDim, hiddenSize, { bias, std });
    this.activation_fn = activation(config.activationFunction);
    this.final_layer_norm = normOf(config);
    this.post_attention_dropout = new Dropout(config.dropout);
    this.post_mlp_dropout = new Dropout(config.dropout);
    this.#normsBefore = config.doLayerNormBefore;
  }

  override forward(x: Tensor, context: LayerContext): LayerOutput {
    const attention = this.self_attn_layer_norm;
    const [attended, weights, cache] = this.self_attn.forward(this.#before(x, attention), context);
    const kept = this.attention_addition.forward(this.post_attention_dropout.forward(attended));
    const middle = this.#after(x.add(kept), attention);
    const read = this.fc1.forward(this.#before(middle, this.final_layer_norm));
    const fed = this.fc2.forward(this.activation_fn.forward(read));
    const added = this.mlp_addition.forward(this.post_mlp_dropout.forward(fed));
    return [this.#after(middle.add(added), this.final_layer_norm), weights, cache];
  }

  #before(x: Tensor, norm: Norm): Tensor {
    return this.#normsBefore ? norm.forward(x) : x;
  }

  #after(x: Tensor, norm: Norm): Tensor {
    return this.#normsBefore ? x : norm.forward(x);
  }
}

/** What checkpoints call the decoder; OPT has no encoder. */
class OPTDecoder extends Module {
  /** Its settings. */
  readonly config: OPTConfig;
  /** [vocabulary, width of tokens] */
  readonly embed_tokens: Embedding;
  /** Position 0 is in row {@link FIRST_POSITION}. */
  readonly embed_positions: Embedding;
  /** [..., width of tokens] -> [..., hidden]; undefined where they are equal. */
  readonly project_in: Linear | undefined;
  /** [..., hidden] -> [..., width of tokens]; undefined where they are equal. */
  readonly project_out: Linear | undefined;
  /** The norm after the last layer; undefined where layers normalise at their ends. */
  readonly final_layer_norm: Norm | undefined;
  /** The layers, in order. */
  readonly layers: ModuleList<OPTDecoderLayer>;

  constructor(config: OPTConfig) {
    super();
    const { hiddenSize, numHiddenLayers: length, initStd: std } = config;
    const [tokens, positions] = [tokenWidth(config), config.maxPositionEmbeddings + FIRST_POSITION];
    const projected = tokens !== hiddenSize;
    const project = (from: number, to: number): Linear | undefined =>
      projected ? initialLinear(from, to, { bias: false, std }) : undefined;
    const hasNorm = config.doLayerNormBefore && !config.removeFinalLayerNorm;
    this.config = config;
    this.embed_tokens = new Embedding(config.vocabSize, tokens, { std });
    this.embed_positions = new Embedding(positions, hiddenSize, { std });
    this.project_in = project(tokens, hiddenSize);
    this.project_out = project(hiddenSize, tokens);
    this.final_layer_norm = hasNorm ? normOf(config) : undefined;
    this.layers = new ModuleList(Array.from({ length }, () => new OPTDecoderLayer(config)));
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const { embed_tokens: embed, layers } = this;
    const { maxPositionEmbeddings: maxPositions } = this.config;
    const pass = beginPass(inputs, { name: "OPTModel", embed, maxPositions });
    const tokens = this.project_in?.forward(pass.embedded) ?? pass.embedded;
    const places = this.embed_positions.forward(pass.positions.add(FIRST_POSITION));
    const norm = { forward: (x: Tensor): Tensor => this.#output(x) };
    const mask = pass.mask();
    return runLayers(tokens.add(places), { layers, norm, pass, context: () => ({ mask }) });
  }

  #output(x: Tensor): Tensor {
    const normed = this.final_layer_norm?.forward(x) ?? x;
    return this.project_out?.forward(normed) ?? normed;
  }
}

/** OPT without a head. */
export class OPTModel extends PreTrainedModel {
  static readonly family: ModelFamily<OPTConfig> = optFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<OPTConfig, LayerPart> = card;
  declare readonly "~components": LayerPart;
  readonly config: OPTConfig;
  /** The layers of the decoder. */
  readonly decoder: OPTDecoder;

  constructor(given: Partial<OPTConfig> = {}) {
    super();
    this.config = optConfig(given);
    this.decoder = new OPTDecoder(this.config);
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    return this.decoder.forward(inputs);
  }
}

/** OPT as a language model: logits of the next token. */
export class OPTForCausalLM extends CausalLanguageModel {
  static readonly family: ModelFamily<OPTConfig> = optFamily;
  declare readonly "~components": LayerPart;
  readonly config: OPTConfig;
  /** The model without a head. */
  readonly model: OPTModel;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: Linear;

  constructor(given: Partial<OPTConfig> = {}) {
    super();
    this.model = new OPTModel(given);
    this.config = this.model.config;
    const sizes = { hiddenSize: tokenWidth(this.config), initializerRange: this.config.initStd };
    this.lm_head = outputLayer({ ...this.config, ...sizes }, this.model.decoder.embed_tokens);
  }

  override get maxLength(): number {
    return this.config.maxPositionEmbeddings;
  }

  /** `labels` [batch, sequence]: the ids themselves (they are shifted here); -100 is left out. */
  override forward(inputs: CausalLMInputs): CausalLMOutput {
    return languageModelOutput(this.model, (x) => this.lm_head.forward(x), inputs);
  }
}

/** OPT with a linear classifier on the last token that is not padding. */
export class OPTForSequenceClassification extends PreTrainedModel {
  static readonly family: ModelFamily<OPTConfig> = optFamily;
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": LayerPart;
  readonly config: OPTConfig;
  /** The model without a head. */
  readonly model: OPTModel;
  /** [..., hidden] -> [..., labels]: the classifier. */
  readonly score: Linear;

  constructor(given: Partial<OPTConfig> = {}) {
    super();
    this.model = new OPTModel(given);
    this.config = this.model.config;
    const { numLabels, initStd: std } = this.config;
    this.score = initialLinear(tokenWidth(this.config), numLabels, { bias: false, std });
  }

  override forward(inputs: ClassifierInputs): SequenceClassifierOutput {
    return classifierOutput(this.model, this.score, inputs);
  }
}
