import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
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
import { type BloomConfig, bloomConfig, bloomFamily, type GivenBloom } from "./config.ts";

export { type BloomConfig, bloomConfig } from "./config.ts";

const LAYER = "h.{layer}";
const width = ({ hiddenSize }: BloomConfig): number => hiddenSize;
const heads = ({ nHead }: BloomConfig): number => nHead;
const inner = ({ hiddenSize }: BloomConfig): number => 4 * hiddenSize;

/**
 * Where the components of Bloom are, within the model without a head. Outputs of attention and MLP are
 * what is added to the residual stream; in transformers the modules of these names give the sum.
 */
const card: ModelCard<BloomConfig, LayerPart> = {
  layers: ({ nLayer }) => nLayer,
  components: {
    ...attentionParts(LAYER, FUSED_PLACES, { width, heads }),
    ...mlpParts(LAYER, DENSE_PLACES, { width, inner }),
  },
};

class BloomBlock extends Module {
  readonly input_layernorm: LayerNorm;
  readonly self_attention: FusedAttention;
  readonly post_attention_layernorm: LayerNorm;
  readonly mlp: DenseMLP;
  readonly post_attention_dropout: Dropout;
  readonly post_mlp_dropout: Dropout;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
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
    this.mlp = new DenseMLP({ ...sizes, intermediateSize: inner(config), act: "gelu_new" });
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
  readonly word_embeddings: Embedding;
  readonly word_embeddings_layernorm: LayerNorm;
  readonly h: ModuleList<BloomBlock>;
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
