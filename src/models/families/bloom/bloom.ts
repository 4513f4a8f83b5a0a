import { fail } from "../../../nn/errors.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { alibi, requireCounted } from "../../parts/alibi.ts";
import type { LayerContext, LayerOutput } from "../../parts/decoder/attend.ts";
import { DENSE_PLACES, DenseMLP } from "../../parts/decoder/dense-mlp.ts";
import { FUSED_PLACES, FusedAttention } from "../../parts/decoder/fused-attention.ts";
import { beginPass, runLayers } from "../../parts/decoder/pass.ts";
import {
  TransformerForCausalLM,
  TransformerForSequenceClassification,
} from "../../parts/decoder/transformer-heads.ts";
import { attentionParts, type LayerPart, mlpParts } from "../../parts/layer-components.ts";
import type { DecoderInputs, DecoderOutput } from "../../parts/outputs.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings, type Settings } from "../../settings/define-settings.ts";
import {
  count,
  flag,
  fraction,
  nonNegative,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Bloom, with Hugging Face's meanings and defaults. */
export interface BloomConfig extends ModelConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Layers. */
  readonly nLayer: number;
  /** Heads of each attention. */
  readonly nHead: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEpsilon: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  /** Add what attention and MLP give to what they read, which is normed, and not to the residual stream. */
  readonly applyResidualConnectionPostLayernorm: boolean;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly hiddenDropout: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionDropout: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

/** Settings as they may be given: in part, or under the names of other families. */
type GivenBloom = Partial<BloomConfig> & {
  readonly [K in "nEmbed" | "numAttentionHeads" | "numHiddenLayers"]?: number;
};

/** What settings Blooms have. */
const BLOOM_SETTINGS: Settings<BloomConfig> = defineSettings<BloomConfig>({
  name: "BloomConfig",
  modelType: "bloom",
  rows: {
    vocabSize: width(250_880),
    hiddenSize: width(64, { names: ["nEmbed"] }),
    nLayer: count(2, { names: ["numHiddenLayers"] }),
    nHead: width(8, { names: ["numAttentionHeads"] }),
    layerNormEpsilon: nonNegative(1e-5),
    initializerRange: nonNegative(0.02),
    applyResidualConnectionPostLayernorm: flag(false),
    hiddenDropout: fraction(0),
    attentionDropout: fraction(0),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
    padTokenId: token.orNull(null),
  },
  // Of the order of sums on several machines, and of the program that trained the models.
  inert: [
    "slowButExact",
    "offsetAlibi",
    "attentionSoftmaxInFp32",
    "biasDropoutFusion",
    "maskedSoftmaxFusion",
    "skipBiasAdd",
    "skipBiasAddQkv",
  ],
  neutral: { nInner: { values: [null], why: "the MLP would not be 4 times as wide as the model" } },
  numbered: [{ path: "h", setting: "nLayer" }],
  shapes: ({ hiddenSize }) => ({
    "word_embeddings.weight": ["vocabSize", "hiddenSize"],
    "lm_head.weight": ["vocabSize", "hiddenSize"],
    "score.weight": ["numLabels", "hiddenSize"],
    "h.0.self_attention.query_key_value.weight": [["3 * hiddenSize", 3 * hiddenSize], "hiddenSize"],
  }),
  complete: (config) => {
    const { hiddenSize, nHead } = config;
    if (hiddenSize % nHead === 0) return config;
    return fail("BloomConfig", `hiddenSize (${hiddenSize}) must be a multiple of nHead (${nHead})`);
  },
});

/**
 * Bloom settings: those given over the defaults, which are those of a very small model.
 * @throws ModelError for sizes that cannot be.
 */
export function bloomConfig(given: GivenBloom = {}): BloomConfig {
  return BLOOM_SETTINGS.read(given);
}

/** How checkpoints of Bloom are read. */
const bloomFamily: ModelFamily<BloomConfig> = declareFamily(BLOOM_SETTINGS, {
  basePrefix: "transformer",
});

/** What sizes the components have. */
const SIZES = {
  width: ({ hiddenSize }: BloomConfig): number => hiddenSize,
  heads: ({ nHead }: BloomConfig): number => nHead,
  inner: ({ hiddenSize }: BloomConfig): number => 4 * hiddenSize,
};

const LAYER = "h.{layer}";

/**
 * Where the components of Bloom are, within the model without a head. Outputs of attention and MLP are
 * what is added to the residual stream; in transformers the modules of these names give the sum.
 */
const card: ModelCard<BloomConfig, LayerPart> = {
  layers: ({ nLayer }) => nLayer,
  components: {
    ...attentionParts(LAYER, FUSED_PLACES, SIZES),
    ...mlpParts(LAYER, DENSE_PLACES, SIZES),
  },
};

class BloomBlock extends Module {
  /** The norm before the attention. */
  readonly input_layernorm: LayerNorm;
  /** The attention. */
  readonly self_attention: FusedAttention;
  /** The norm before the MLP. */
  readonly post_attention_layernorm: LayerNorm;
  /** The MLP. */
  readonly mlp: DenseMLP;
  /** Acts in training mode only. */
  readonly post_attention_dropout: Dropout;
  /** Acts in training mode only. */
  readonly post_mlp_dropout: Dropout;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();
  readonly #addsToNormed: boolean;

  constructor(config: BloomConfig) {
    super();
    const { hiddenSize, nHead, initializerRange: std, layerNormEpsilon: eps } = config;
    const sizes = { hiddenSize, bias: true, std };
    this.input_layernorm = new LayerNorm(hiddenSize, { eps });
    this.self_attention = new FusedAttention({
      ...sizes,
      heads: nHead,
      keyValueHeads: nHead,
      dropout: config.attentionDropout,
    });
    this.post_attention_layernorm = new LayerNorm(hiddenSize, { eps });
    this.mlp = new DenseMLP({ ...sizes, intermediateSize: SIZES.inner(config), act: "gelu_new" });
    this.post_attention_dropout = new Dropout(config.hiddenDropout);
    this.post_mlp_dropout = new Dropout(config.hiddenDropout);
    this.#addsToNormed = config.applyResidualConnectionPostLayernorm;
  }

  override forward(x: Tensor, context: LayerContext): LayerOutput {
    const normed = this.input_layernorm.forward(x);
    const [attended, weights, cache] = this.self_attention.forward(normed, context);
    const kept = this.attention_addition.forward(this.post_attention_dropout.forward(attended));
    const middle = kept.add(this.#addsToNormed ? normed : x);
    const read = this.post_attention_layernorm.forward(middle);
    const fed = this.mlp_addition.forward(this.post_mlp_dropout.forward(this.mlp.forward(read)));
    return [fed.add(this.#addsToNormed ? read : middle), weights, cache];
  }
}

/** Bloom without a head. Scores of attention fall with the distance of tokens, padding left out. */
export class BloomModel extends PreTrainedModel {
  static readonly family: ModelFamily<BloomConfig> = bloomFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<BloomConfig, LayerPart> = card;
  declare readonly "~components": LayerPart;
  readonly config: BloomConfig;
  /** The token embedding. */
  readonly word_embeddings: Embedding;
  /** The norm of the embedded tokens. */
  readonly word_embeddings_layernorm: LayerNorm;
  /** The layers, in order. */
  readonly h: ModuleList<BloomBlock>;
  /** The norm after the last layer. */
  readonly ln_f: LayerNorm;

  constructor(given: GivenBloom = {}) {
    super();
    const config = bloomConfig(given);
    const { vocabSize, hiddenSize, nLayer: length, layerNormEpsilon: eps } = config;
    this.config = config;
    this.word_embeddings = new Embedding(vocabSize, hiddenSize, { std: config.initializerRange });
    this.word_embeddings_layernorm = new LayerNorm(hiddenSize, { eps });
    this.h = new ModuleList(Array.from({ length }, () => new BloomBlock(config)));
    this.ln_f = new LayerNorm(hiddenSize, { eps });
  }

  /** The table of tokens, which the head may share. */
  get embedding(): Embedding {
    return this.word_embeddings;
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const pass = beginPass(inputs, { name: "BloomModel", embed: this.word_embeddings });
    requireCounted("BloomModel", inputs.positionIds, pass.tokens);
    const mask = pass.mask().add(alibi(pass.tokens, { heads: this.config.nHead }));
    return runLayers(this.word_embeddings_layernorm.forward(pass.embedded), {
      layers: this.h,
      norm: this.ln_f,
      pass,
      context: () => ({ mask }),
    });
  }
}

/** Bloom as a language model: logits of the next token. */
export class BloomForCausalLM extends TransformerForCausalLM<BloomModel> {
  static readonly family: ModelFamily<BloomConfig> = bloomFamily;

  constructor(config: GivenBloom = {}) {
    super(new BloomModel(config));
  }
}

/** Bloom with a linear classifier on the last token that is not padding. */
export class BloomForSequenceClassification extends TransformerForSequenceClassification<BloomModel> {
  static readonly family: ModelFamily<BloomConfig> = bloomFamily;

  constructor(config: GivenBloom = {}) {
    super(new BloomModel(config));
  }
}
