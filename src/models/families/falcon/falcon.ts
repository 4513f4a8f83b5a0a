import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { alibi, requireCounted } from "../../parts/alibi.ts";
import type { LayerOutput } from "../../parts/decoder/attend.ts";
import { DENSE_PLACES, DenseMLP } from "../../parts/decoder/dense-mlp.ts";
import {
  FUSED_PLACES,
  FusedAttention,
  type FusedContext,
} from "../../parts/decoder/fused-attention.ts";
import { beginPass, type DecoderPass, runLayers } from "../../parts/decoder/pass.ts";
import { RotaryEmbedding } from "../../parts/decoder/rotary-embedding.ts";
import type { Changes } from "../../parts/decoder/text-lengths.ts";
import {
  TransformerForCausalLM,
  TransformerForSequenceClassification,
} from "../../parts/decoder/transformer-heads.ts";
import { attentionParts, type LayerPart, mlpParts } from "../../parts/layer-components.ts";
import type { DecoderInputs, DecoderOutput } from "../../parts/outputs.ts";
import {
  type FalconConfig,
  falconConfig,
  falconFamily,
  type GivenFalcon,
  hasTwoNorms,
  innerWidth,
  keyHeads,
} from "./config.ts";

export { type FalconConfig, falconConfig } from "./config.ts";

const LAYER = "h.{layer}";
const width = ({ hiddenSize }: FalconConfig): number => hiddenSize;
const heads = ({ numAttentionHeads }: FalconConfig): number => numAttentionHeads;

/** Where the components of Falcon are, within the model without a head. */
const card: ModelCard<FalconConfig, LayerPart> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts(LAYER, FUSED_PLACES, { width, heads, keyHeads }),
    ...mlpParts(LAYER, DENSE_PLACES, { width, inner: innerWidth }),
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
  readonly self_attention: FusedAttention;
  readonly mlp: DenseMLP;
  readonly input_layernorm: LayerNorm | undefined;
  readonly post_attention_layernorm: LayerNorm | undefined;
  readonly ln_attn: LayerNorm | undefined;
  readonly ln_mlp: LayerNorm | undefined;
  readonly post_attention_dropout: Dropout;
  readonly post_mlp_dropout: Dropout;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
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
      heads: heads(config),
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
  readonly word_embeddings: Embedding;
  readonly h: ModuleList<FalconDecoderLayer>;
  readonly ln_f: LayerNorm;
  readonly rotary_emb: RotaryEmbedding | undefined;

  constructor(given: GivenFalcon = {}) {
    super();
    const config = falconConfig(given);
    const { vocabSize, hiddenSize, numHiddenLayers: length, maxPositionEmbeddings } = config;
    const sizes = { headDim: hiddenSize / heads(config), maxPositionEmbeddings };
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
    const scale = 1 / Math.sqrt(width(this.config) / heads(this.config));
    const falling = alibi(pass.tokens, { heads: heads(this.config), rounded: true });
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
