import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import {
  attend,
  type LayerContext,
  type LayerOutput,
  splitHeads,
} from "../../parts/decoder/attend.ts";
import type { LlamaComponent } from "../../parts/decoder/card.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { beginPass, runLayers } from "../../parts/decoder/pass.ts";
import {
  TransformerForCausalLM,
  TransformerForSequenceClassification,
} from "../../parts/decoder/transformer-heads.ts";
import type { DecoderInputs, DecoderOutput } from "../../parts/outputs.ts";
import { activation } from "../../settings/activations.ts";
import {
  type GivenGPTNeo,
  type GPTNeoConfig,
  gptNeoConfig,
  gptNeoFamily,
  gptNeoLayerTypes,
} from "./config.ts";

export { type GPTNeoConfig, gptNeoConfig } from "./config.ts";

type Spec = ComponentSpec<GPTNeoConfig>;

const width = ({ hiddenSize }: GPTNeoConfig): number => hiddenSize;
const headWidth = ({ hiddenSize, numHeads }: GPTNeoConfig): number => hiddenSize / numHeads;
const heads = ({ numHeads }: GPTNeoConfig): number => numHeads;

const at = (path: string, side: Spec["side"]): Spec => ({ path, side, dimension: width });
const projected = (name: string): Spec => at(`h.{layer}.attn.attention.${name}`, "output");
const ofHeads = (spec: Spec): Spec => ({ ...spec, heads, dimension: headWidth });

const mixed = at("h.{layer}.attn.attention.out_proj", "input");

/** Where the components of GPT-Neo are, within the model without a head. */
export const gptNeoCard: ModelCard<GPTNeoConfig, LlamaComponent> = {
  layers: ({ numLayers }) => numLayers,
  components: {
    block_input: at("h.{layer}", "input"),
    block_output: at("h.{layer}", "output"),
    mlp_activation: {
      path: "h.{layer}.mlp.act",
      side: "output",
      dimension: ({ intermediateSize, hiddenSize }) => intermediateSize ?? 4 * hiddenSize,
    },
    mlp_output: at("h.{layer}.mlp", "output"),
    mlp_addition: at("h.{layer}.mlp", "output"),
    mlp_input: at("h.{layer}.mlp", "input"),
    attention_value_output: mixed,
    head_attention_value_output: ofHeads(mixed),
    attention_weight: {
      path: "h.{layer}.attn.attention.attn_dropout",
      side: "input",
      headsFirst: true,
      dimension: ({ maxPositionEmbeddings }) => maxPositionEmbeddings,
    },
    attention_output: at("h.{layer}.attn", "output"),
    attention_addition: at("h.{layer}.attn", "output"),
    attention_input: at("h.{layer}.attn", "input"),
    query_output: projected("q_proj"),
    key_output: projected("k_proj"),
    value_output: projected("v_proj"),
    head_query_output: ofHeads(projected("q_proj")),
    head_key_output: ofHeads(projected("k_proj")),
    head_value_output: ofHeads(projected("v_proj")),
  },
};

/** Attention whose scores are not scaled. */
class GPTNeoSelfAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly k_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly v_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly q_proj: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly out_proj: Linear;
  /** Drops attention weights in training mode. */
  readonly attn_dropout: Dropout;
  /** Acts in training mode only. */
  readonly resid_dropout: Dropout;
  readonly #headDim: number;

  constructor(config: GPTNeoConfig) {
    super();
    const { hiddenSize, numHeads, initializerRange: std } = config;
    const projection = (bias: boolean): Linear =>
      initialLinear(hiddenSize, hiddenSize, { bias, std });
    this.k_proj = projection(false);
    this.v_proj = projection(false);
    this.q_proj = projection(false);
    this.out_proj = projection(true);
    this.attn_dropout = new Dropout(config.attentionDropout);
    this.resid_dropout = new Dropout(config.residDropout);
    this.#headDim = hiddenSize / numHeads;
  }

  override forward(x: Tensor, context: LayerContext): LayerOutput {
    const query = splitHeads(this.q_proj.forward(x), this.#headDim);
    const key = splitHeads(this.k_proj.forward(x), this.#headDim);
    const value = splitHeads(this.v_proj.forward(x), this.#headDim);
    const options = { scale: 1, dropout: this.attn_dropout };
    const [mixed, weights, cache] = attend(query, { key, value }, context, options);
    return [this.resid_dropout.forward(this.out_proj.forward(mixed)), weights, cache];
  }
}

/** A wrapper that checkpoints know. */
class GPTNeoAttention extends Module {
  /** The attention. */
  readonly attention: GPTNeoSelfAttention;

  constructor(config: GPTNeoConfig) {
    super();
    this.attention = new GPTNeoSelfAttention(config);
  }

  override forward(x: Tensor, context: LayerContext): LayerOutput {
    return this.attention.forward(x, context);
  }
}

class GPTNeoMLP extends Module {
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly c_fc: Linear;
  /** The output projection. */
  readonly c_proj: Linear;
  /** The activation. */
  readonly act: Activation;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: GPTNeoConfig) {
    super();
    const { hiddenSize, initializerRange: std } = config;
    const inner = config.intermediateSize ?? 4 * hiddenSize;
    this.c_fc = initialLinear(hiddenSize, inner, { bias: true, std });
    this.c_proj = initialLinear(inner, hiddenSize, { bias: true, std });
    this.act = activation(config.activationFunction);
    this.dropout = new Dropout(config.residDropout);
  }

  override forward(x: Tensor): Tensor {
    return this.dropout.forward(this.c_proj.forward(this.act.forward(this.c_fc.forward(x))));
  }
}

class GPTNeoBlock extends Module {
  /** The norm before the attention. */
  readonly ln_1: LayerNorm;
  /** The attention. */
  readonly attn: GPTNeoAttention;
  /** The norm before the MLP. */
  readonly ln_2: LayerNorm;
  /** The MLP. */
  readonly mlp: GPTNeoMLP;

  constructor(config: GPTNeoConfig) {
    super();
    const norm = { eps: config.layerNormEpsilon };
    this.ln_1 = new LayerNorm(config.hiddenSize, norm);
    this.attn = new GPTNeoAttention(config);
    this.ln_2 = new LayerNorm(config.hiddenSize, norm);
    this.mlp = new GPTNeoMLP(config);
  }

  override forward(x: Tensor, context: LayerContext): LayerOutput {
    const [attended, weights, cache] = this.attn.forward(this.ln_1.forward(x), context);
    const middle = x.add(attended);
    return [middle.add(this.mlp.forward(this.ln_2.forward(middle))), weights, cache];
  }
}

/** GPT-Neo without a head: local layers see the last tokens only. */
export class GPTNeoModel extends PreTrainedModel {
  static readonly family: ModelFamily<GPTNeoConfig> = gptNeoFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<GPTNeoConfig, LlamaComponent> = gptNeoCard;
  declare readonly "~components": LlamaComponent;
  readonly config: GPTNeoConfig;
  /** The token embedding. */
  readonly wte: Embedding;
  /** The embedding of positions. */
  readonly wpe: Embedding;
  /** Acts in training mode only. */
  readonly drop: Dropout;
  /** The layers, in order. */
  readonly h: ModuleList<GPTNeoBlock>;
  /** The norm after the last layer. */
  readonly ln_f: LayerNorm;

  constructor(given: GivenGPTNeo = {}) {
    super();
    const config = gptNeoConfig(given);
    const { hiddenSize, numLayers: length, initializerRange: std } = config;
    this.config = config;
    this.wte = new Embedding(config.vocabSize, hiddenSize, { std });
    this.wpe = new Embedding(config.maxPositionEmbeddings, hiddenSize, { std });
    this.drop = new Dropout(config.embedDropout);
    this.h = new ModuleList(Array.from({ length }, () => new GPTNeoBlock(config)));
    this.ln_f = new LayerNorm(hiddenSize, { eps: config.layerNormEpsilon });
  }

  /** The table of tokens, [vocabulary, width]. */
  get embedding(): Embedding {
    return this.wte;
  }

  /** Longest sequence. */
  get maxLength(): number {
    return this.config.maxPositionEmbeddings;
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const { windowSize, maxPositionEmbeddings: maxPositions } = this.config;
    const pass = beginPass(inputs, { name: "GPTNeoModel", embed: this.wte, maxPositions });
    const { embedded, positions } = pass;
    const masks = { global: pass.mask(), local: pass.mask(windowSize) };
    const types = gptNeoLayerTypes(this.config);
    return runLayers(this.drop.forward(embedded.add(this.wpe.forward(positions))), {
      layers: this.h,
      norm: this.ln_f,
      pass,
      context: (i) => ({ mask: masks[types[i] ?? "global"] }),
    });
  }
}

/** GPT-Neo as a language model: logits of the next token. */
export class GPTNeoForCausalLM extends TransformerForCausalLM<GPTNeoModel> {
  static readonly family: ModelFamily<GPTNeoConfig> = gptNeoFamily;

  constructor(config: GivenGPTNeo = {}) {
    super(new GPTNeoModel(config));
  }
}

/** GPT-Neo with a linear classifier on the last token that is not padding. */
export class GPTNeoForSequenceClassification extends TransformerForSequenceClassification<GPTNeoModel> {
  static readonly family: ModelFamily<GPTNeoConfig> = gptNeoFamily;

  constructor(config: GivenGPTNeo = {}) {
    super(new GPTNeoModel(config));
  }
}
