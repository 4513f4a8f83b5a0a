import { fail } from "../../../nn/errors.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { alibi, requireCounted } from "../../parts/alibi.ts";
import type { LayerOutput } from "../../parts/decoder/attend.ts";
import type { RotaryHeads } from "../../parts/decoder/config.ts";
import { DENSE_PLACES, DenseMLP } from "../../parts/decoder/dense-mlp.ts";
import {
  FUSED_PLACES,
  FusedAttention,
  type FusedContext,
} from "../../parts/decoder/fused-attention.ts";
import { beginPass, type DecoderPass, runLayers } from "../../parts/decoder/pass.ts";
import { RotaryEmbedding } from "../../parts/decoder/rotary-embedding.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Changes } from "../../parts/decoder/text-lengths.ts";
import {
  TransformerForCausalLM,
  TransformerForSequenceClassification,
} from "../../parts/decoder/transformer-heads.ts";
import { attentionParts, type LayerPart, mlpParts } from "../../parts/layer-components.ts";
import type { DecoderInputs, DecoderOutput } from "../../parts/outputs.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  nonNegative,
  oneOf,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Falcon, with Hugging Face's meanings and defaults. */
export interface FalconConfig extends RotaryHeads {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Heads of each attention. */
  readonly numAttentionHeads: number;
  /** Heads of keys and values of the new architecture; null: as many as queries. */
  readonly numKvHeads: number | null;
  /** As Falcon 40B and 11B: heads in groups, attention and MLP side by side. */
  readonly newDecoderArchitecture: boolean;
  /** All heads share one key and one value; the new architecture has its groups. */
  readonly multiQuery: boolean;
  /** Attention and MLP read the same; the new architecture does always. */
  readonly parallelAttn: boolean;
  /** Norms before attention and MLP of the new architecture: one each, or one for both; null: 2. */
  readonly numLnInParallelAttn: 1 | 2 | null;
  /** Scores fall with the distance, and nothing is rotated. */
  readonly alibi: boolean;
  /** Bias of all projections. */
  readonly bias: boolean;
  /** Width inside the MLP; null means 4 hiddenSize. */
  readonly ffnHiddenSize: number | null;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly activation: string;
  /** Length that the model was trained for; longer texts are not refused. */
  readonly maxPositionEmbeddings: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEpsilon: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly hiddenDropout: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionDropout: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

/** Settings as they may be given: in part, or under other names. */
type GivenFalcon = {
  readonly [K in keyof FalconConfig]?: K extends "ropeParameters" ? unknown : FalconConfig[K];
} & { readonly [K in "ropeTheta" | "ropeScaling" | "nEmbed"]?: unknown };

/** Width inside the MLP. */
function innerWidth({ ffnHiddenSize, hiddenSize }: FalconConfig): number {
  return ffnHiddenSize ?? 4 * hiddenSize;
}

/** Number of heads of keys and values. */
function keyHeads(config: FalconConfig): number {
  const { newDecoderArchitecture, multiQuery, numAttentionHeads, numKvHeads } = config;
  if (newDecoderArchitecture) return numKvHeads ?? numAttentionHeads;
  return multiQuery ? 1 : numAttentionHeads;
}

/** Names of a layer's norms before attention and MLP: of both, or each its own. */
function hasTwoNorms(config: FalconConfig): boolean {
  return config.newDecoderArchitecture && config.numLnInParallelAttn !== 1;
}

/** @throws ModelError for settings that no Falcon can have together. */
function complete(config: FalconConfig): FalconConfig {
  const { newDecoderArchitecture: isNew, numAttentionHeads: heads, numKvHeads } = config;
  const refuse = (message: string): never => fail("FalconConfig", message);
  const { partialRotaryFactor: share = 1 } = config.ropeParameters;
  if (share !== 1) {
    refuse(`ropeParameters.partialRotaryFactor is ${share}, but heads are rotated as a whole`);
  }
  if (isNew && !config.parallelAttn) refuse("newDecoderArchitecture needs parallelAttn to be true");
  if (isNew && heads % keyHeads(config) !== 0) {
    refuse(`numAttentionHeads (${heads}) must be a multiple of numKvHeads (${numKvHeads})`);
  }
  if (!isNew && config.numLnInParallelAttn === 2) {
    refuse("numLnInParallelAttn can be 2 where newDecoderArchitecture is true only");
  }
  if (!isNew && !config.multiQuery && (numKvHeads ?? heads) !== heads) {
    const reason = "newDecoderArchitecture and multiQuery are false, so that each head has its own";
    refuse(`numKvHeads is ${numKvHeads}, but must be numAttentionHeads (${heads}): ${reason}`);
  }
  return config;
}

/** What settings Falcons have. */
const FALCON_SETTINGS: Settings<FalconConfig> = defineRotarySettings<FalconConfig>({
  name: "FalconConfig",
  modelType: "falcon",
  names: { share: [] },
  rows: {
    vocabSize: width(65024),
    hiddenSize: width(4544, { names: ["nEmbed"] }),
    numHiddenLayers: count(32),
    numAttentionHeads: width(71),
    numKvHeads: width.orNull(null),
    newDecoderArchitecture: flag(false),
    multiQuery: flag(true),
    parallelAttn: flag(true),
    numLnInParallelAttn: oneOf([1, 2, null], null),
    alibi: flag(false),
    bias: flag(false),
    ffnHiddenSize: width.orNull(null),
    activation: activationName("gelu"),
    maxPositionEmbeddings: whole(2048),
    layerNormEpsilon: nonNegative(1e-5),
    initializerRange: nonNegative(0.02),
    hiddenDropout: fraction(0),
    attentionDropout: fraction(0),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    bosTokenId: token.orNull(11),
    eosTokenId: tokens.orNull(11),
  },
  neutral: {
    applyResidualConnectionPostLayernorm: {
      values: [false, null],
      why: "what is normed would be added to",
    },
  },
  numbered: [{ path: "h", setting: "numHiddenLayers" }],
  shapes: (config) => {
    const { hiddenSize, numAttentionHeads: heads } = config;
    const fused = (heads + 2 * keyHeads(config)) * (hiddenSize / heads);
    const shared = config.newDecoderArchitecture ? "numKvHeads" : keyHeads(config);
    return {
      "word_embeddings.weight": ["vocabSize", "hiddenSize"],
      "lm_head.weight": ["vocabSize", "hiddenSize"],
      "score.weight": ["numLabels", "hiddenSize"],
      "h.0.self_attention.query_key_value.weight": [
        [`(numAttentionHeads + 2 * ${shared}) * hiddenSize / numAttentionHeads`, fused],
        "hiddenSize",
      ],
      "h.0.mlp.dense_h_to_4h.weight": [
        config.ffnHiddenSize === null ? ["4 * hiddenSize", innerWidth(config)] : "ffnHiddenSize",
        "hiddenSize",
      ],
    };
  },
  complete,
});

/**
 * Falcon settings: those given over the defaults, which are those of the 7B model.
 * @throws ModelError for sizes that cannot be.
 */
export function falconConfig(given: GivenFalcon = {}): FalconConfig {
  return FALCON_SETTINGS.read(given);
}

/** How checkpoints of Falcon are read. */
const falconFamily: ModelFamily<FalconConfig> = declareFamily(FALCON_SETTINGS, {
  basePrefix: "transformer",
});

/** What sizes the components have. */
const SIZES = {
  width: ({ hiddenSize }: FalconConfig): number => hiddenSize,
  heads: ({ numAttentionHeads }: FalconConfig): number => numAttentionHeads,
  keyHeads,
  inner: innerWidth,
};

const LAYER = "h.{layer}";

/** Where the components of Falcon are, within the model without a head. */
const card: ModelCard<FalconConfig, LayerPart> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts(LAYER, FUSED_PLACES, SIZES),
    ...mlpParts(LAYER, DENSE_PLACES, SIZES),
  },
};

/** The norms before a layer's attention and MLP, under the names that checkpoints have for them. */
type Norms = "input_layernorm" | "post_attention_layernorm" | "ln_attn" | "ln_mlp";

function normsOf(config: FalconConfig): readonly [attention: Norms, mlp: Norms] {
  if (hasTwoNorms(config)) return ["ln_attn", "ln_mlp"];
  const isSerial = !config.parallelAttn;
  return ["input_layernorm", isSerial ? "post_attention_layernorm" : "input_layernorm"];
}

/** A layer whose attention and MLP read the same, read it normed differently, or one after the other. */
class FalconDecoderLayer extends Module {
  /** The attention. */
  readonly self_attention: FusedAttention;
  /** The MLP. */
  readonly mlp: DenseMLP;
  /** The norm before the attention, or before both; undefined with one each. */
  readonly input_layernorm: LayerNorm | undefined;
  /** The norm before the MLP, where it comes after the attention. */
  readonly post_attention_layernorm: LayerNorm | undefined;
  /** The norm before the attention, where attention and MLP have one each. */
  readonly ln_attn: LayerNorm | undefined;
  /** The norm before the MLP, where attention and MLP have one each. */
  readonly ln_mlp: LayerNorm | undefined;
  /** Acts in training mode only. */
  readonly post_attention_dropout: Dropout;
  /** Acts in training mode only. */
  readonly post_mlp_dropout: Dropout;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();
  readonly #norms: readonly [attention: Norms, mlp: Norms];
  readonly #parallel: boolean;

  constructor(config: FalconConfig) {
    super();
    const { hiddenSize, bias, initializerRange: std, hiddenDropout, attentionDropout } = config;
    const names = normsOf(config);
    const norm = (name: Norms): LayerNorm | undefined =>
      names.includes(name)
        ? new LayerNorm(hiddenSize, { eps: config.layerNormEpsilon })
        : undefined;
    this.self_attention = new FusedAttention({
      hiddenSize,
      heads: SIZES.heads(config),
      keyValueHeads: keyHeads(config),
      bias,
      std,
      // As in transformers, weights of rotated attention are not dropped.
      dropout: config.alibi ? attentionDropout : 0,
    });
    const inner = { intermediateSize: innerWidth(config), act: config.activation };
    this.mlp = new DenseMLP({ hiddenSize, ...inner, bias, std });
    this.input_layernorm = norm("input_layernorm");
    this.post_attention_layernorm = norm("post_attention_layernorm");
    this.ln_attn = norm("ln_attn");
    this.ln_mlp = norm("ln_mlp");
    this.#norms = names;
    this.#parallel = config.parallelAttn;
    // As in transformers, the share of what attention gives has the name of that of its weights.
    this.post_attention_dropout = new Dropout(this.#parallel ? hiddenDropout : attentionDropout);
    this.post_mlp_dropout = new Dropout(hiddenDropout);
  }

  override forward(x: Tensor, context: FusedContext): LayerOutput {
    const [first, second] = this.#norms;
    const normed = this.#normed(first, x);
    const [attended, weights, cache] = this.self_attention.forward(normed, context);
    const kept = this.attention_addition.forward(this.post_attention_dropout.forward(attended));
    const middle = x.add(kept);
    const read = first === second ? normed : this.#normed(second, this.#parallel ? x : middle);
    const fed = this.mlp_addition.forward(this.post_mlp_dropout.forward(this.mlp.forward(read)));
    return [middle.add(fed), weights, cache];
  }

  #normed(name: Norms, x: Tensor): Tensor {
    return this[name]?.forward(x) ?? x;
  }
}

/**
 * Falcon without a head. With `alibi`, scores of attention fall with the distance of tokens, padding left
 * out; else heads are rotated.
 */
export class FalconModel extends PreTrainedModel {
  static readonly family: ModelFamily<FalconConfig> = falconFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<FalconConfig, LayerPart> = card;
  declare readonly "~components": LayerPart;
  readonly config: FalconConfig;
  /** The token embedding. */
  readonly word_embeddings: Embedding;
  /** The layers, in order. */
  readonly h: ModuleList<FalconDecoderLayer>;
  /** The norm after the last layer. */
  readonly ln_f: LayerNorm;
  /** Angles that queries and keys are turned by, from positions. */
  readonly rotary_emb: RotaryEmbedding | undefined;

  constructor(given: GivenFalcon = {}) {
    super();
    const config = falconConfig(given);
    const { vocabSize, hiddenSize, numHiddenLayers: length, maxPositionEmbeddings } = config;
    const sizes = { headDim: hiddenSize / SIZES.heads(config), maxPositionEmbeddings };
    this.config = config;
    this.word_embeddings = new Embedding(vocabSize, hiddenSize, { std: config.initializerRange });
    this.h = new ModuleList(Array.from({ length }, () => new FalconDecoderLayer(config)));
    this.ln_f = new LayerNorm(hiddenSize, { eps: config.layerNormEpsilon });
    this.rotary_emb = config.alibi ? undefined : new RotaryEmbedding(config.ropeParameters, sizes);
  }

  /** The table of tokens, which the head may share. */
  get embedding(): Embedding {
    return this.word_embeddings;
  }

  /** Whether a cache of a text of one length is of no use at another; undefined for never. */
  get changes(): Changes | undefined {
    return this.rotary_emb?.changes;
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const { word_embeddings: embed, changes } = this;
    const pass = beginPass(inputs, { name: "FalconModel", embed, changes });
    const rotation = this.rotary_emb?.forward(pass.positions, pass.attentionMask);
    if (this.config.alibi) requireCounted("FalconModel", inputs.positionIds, pass.tokens);
    const mask = this.#mask(pass);
    return runLayers(pass.embedded, {
      layers: this.h,
      norm: this.ln_f,
      pass,
      context: () => ({ rotation, mask }),
    });
  }

  /** What is added to scores; distances count as the scores do, which are divided by the root of the heads' width. */
  #mask(pass: DecoderPass): Tensor {
    const mask = pass.mask();
    if (!this.config.alibi) return mask;
    const scale = 1 / Math.sqrt(SIZES.width(this.config) / SIZES.heads(this.config));
    const falling = alibi(pass.tokens, { heads: SIZES.heads(this.config), rounded: true });
    return mask.add(falling.mul(constant(scale)));
  }
}

/** Falcon as a language model: logits of the next token. */
export class FalconForCausalLM extends TransformerForCausalLM<FalconModel> {
  static readonly family: ModelFamily<FalconConfig> = falconFamily;

  constructor(config: GivenFalcon = {}) {
    super(new FalconModel(config));
  }
}

/** Falcon with a linear classifier on the last token that is not padding. */
export class FalconForSequenceClassification extends TransformerForSequenceClassification<FalconModel> {
  static readonly family: ModelFamily<FalconConfig> = falconFamily;

  constructor(config: GivenFalcon = {}) {
    super(new FalconModel(config));
  }
}
