import type { Activation } from "../../../nn/layers/activation.ts";
import { Conv1D } from "../../../nn/layers/conv1d.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import type { LayerContext } from "../../parts/decoder/attend.ts";
import { type ClassifierInputs, classifierOutput } from "../../parts/decoder/heads.ts";
import { beginPass, runLayers } from "../../parts/decoder/pass.ts";
import { nextTokenLoss } from "../../parts/heads.ts";
import type { LayerPart } from "../../parts/layer-components.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
  KeyValue,
  SequenceClassifierOutput,
} from "../../parts/outputs.ts";
import { activation } from "../../settings/activations.ts";
import { type GivenGPT2, type GPT2Config, gpt2Config, gpt2Family } from "./config.ts";

export { type GPT2Config, gpt2Config } from "./config.ts";

/** Components of a GPT-2's layers. */
export type GPT2Component = LayerPart;

type Spec = ComponentSpec<GPT2Config>;

const width = ({ nEmbd }: GPT2Config): number => nEmbd;
const headWidth = ({ nEmbd, nHead }: GPT2Config): number => nEmbd / nHead;
const heads = ({ nHead }: GPT2Config): number => nHead;

/** A third of the fused projection to queries, keys and values. */
const projected = (index: number): Spec => ({
  path: "h.{layer}.attn.c_attn",
  side: "output",
  part: { index, of: 3 },
  dimension: width,
});

const ofHeads = (spec: Spec): Spec => ({ ...spec, heads, dimension: headWidth });

const mixed: Spec = { path: "h.{layer}.attn.c_proj", side: "input", dimension: width };

/** Where the components of GPT-2 are, within the model without a head. */
export const gpt2Card: ModelCard<GPT2Config, GPT2Component> = {
  layers: ({ nLayer }) => nLayer,
  components: {
    block_input: { path: "h.{layer}", side: "input", dimension: width },
    block_output: { path: "h.{layer}", side: "output", dimension: width },
    mlp_activation: {
      path: "h.{layer}.mlp.act",
      side: "output",
      dimension: ({ nInner, nEmbd }) => nInner ?? 4 * nEmbd,
    },
    mlp_output: { path: "h.{layer}.mlp", side: "output", dimension: width },
    mlp_addition: { path: "h.{layer}.mlp", side: "output", dimension: width },
    mlp_input: { path: "h.{layer}.mlp", side: "input", dimension: width },
    attention_value_output: mixed,
    head_attention_value_output: ofHeads(mixed),
    attention_weight: {
      path: "h.{layer}.attn.attn_dropout",
      side: "input",
      headsFirst: true,
      dimension: ({ nPositions }) => nPositions,
    },
    attention_output: { path: "h.{layer}.attn.resid_dropout", side: "output", dimension: width },
    attention_addition: { path: "h.{layer}.attn.resid_dropout", side: "output", dimension: width },
    attention_input: { path: "h.{layer}.attn", side: "input", dimension: width },
    query_output: projected(0),
    key_output: projected(1),
    value_output: projected(2),
    head_query_output: ofHeads(projected(0)),
    head_key_output: ofHeads(projected(1)),
    head_value_output: ofHeads(projected(2)),
  },
};

/** Of the weights that write to the residual stream, which sums up two for each layer. */
function residualStd(config: GPT2Config): number {
  return config.initializerRange / Math.sqrt(2 * config.nLayer);
}

class GPT2Attention extends Module {
  /** [..., hidden] -> [..., 3 × hidden]: queries, keys and values. */
  readonly c_attn: Conv1D;
  /** The output projection. */
  readonly c_proj: Conv1D;
  /** Drops attention weights in training mode. */
  readonly attn_dropout: Dropout;
  /** Acts in training mode only. */
  readonly resid_dropout: Dropout;
  readonly #heads: number;
  readonly #scale: number;

  constructor(config: GPT2Config, layer: number) {
    super();
    this.c_attn = new Conv1D(3 * config.nEmbd, config.nEmbd, config.initializerRange);
    this.c_proj = new Conv1D(config.nEmbd, config.nEmbd, residualStd(config));
    this.attn_dropout = new Dropout(config.attnPdrop);
    this.resid_dropout = new Dropout(config.residPdrop);
    this.#heads = config.nHead;
    const width = config.scaleAttnWeights ? Math.sqrt(config.nEmbd / config.nHead) : 1;
    this.#scale = 1 / (width * (config.scaleAttnByInverseLayerIdx ? layer + 1 : 1));
  }

  override forward(x: Tensor, { mask, past }: LayerContext): [Tensor, Tensor, KeyValue] {
    const [q, k, v] = this.c_attn
      .forward(x)
      .chunk(3, -1)
      .map((t) => this.#split(t)) as [Tensor, Tensor, Tensor];
    const key = past === undefined ? k : cat([past.key, k], 2);
    const value = past === undefined ? v : cat([past.value, v], 2);
    const scores = q.matmul(key.transpose(-1, -2)).mul(constant(this.#scale)).add(mask);
    const weights = this.attn_dropout.forward(scores.softmax(-1));
    const mixed = weights.matmul(value).permute([0, 2, 1, 3]).reshape(x.shape);
    return [this.resid_dropout.forward(this.c_proj.forward(mixed)), weights, { key, value }];
  }

  /** [batch, sequence, width] -> [batch, heads, sequence, headDim] */
  #split(x: Tensor): Tensor {
    const [b = 1, s = 1, d = 1] = x.shape;
    return x.reshape([b, s, this.#heads, d / this.#heads]).permute([0, 2, 1, 3]);
  }
}

class GPT2MLP extends Module {
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly c_fc: Conv1D;
  /** The output projection. */
  readonly c_proj: Conv1D;
  /** The activation. */
  readonly act: Activation;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: GPT2Config) {
    super();
    const inner = config.nInner ?? 4 * config.nEmbd;
    this.c_fc = new Conv1D(inner, config.nEmbd, config.initializerRange);
    this.c_proj = new Conv1D(config.nEmbd, inner, residualStd(config));
    this.act = activation(config.activationFunction);
    this.dropout = new Dropout(config.residPdrop);
  }

  override forward(x: Tensor): Tensor {
    return this.dropout.forward(this.c_proj.forward(this.act.forward(this.c_fc.forward(x))));
  }
}

class GPT2Block extends Module {
  /** The norm before the attention. */
  readonly ln_1: LayerNorm;
  /** The attention. */
  readonly attn: GPT2Attention;
  /** The norm before the MLP. */
  readonly ln_2: LayerNorm;
  /** The MLP. */
  readonly mlp: GPT2MLP;

  constructor(config: GPT2Config, layer: number) {
    super();
    const norm = { eps: config.layerNormEpsilon };
    this.ln_1 = new LayerNorm(config.nEmbd, norm);
    this.attn = new GPT2Attention(config, layer);
    this.ln_2 = new LayerNorm(config.nEmbd, norm);
    this.mlp = new GPT2MLP(config);
  }

  override forward(x: Tensor, context: LayerContext): [Tensor, Tensor, KeyValue] {
    const [attended, weights, cache] = this.attn.forward(this.ln_1.forward(x), context);
    const middle = attended.add(x);
    return [middle.add(this.mlp.forward(this.ln_2.forward(middle))), weights, cache];
  }
}

/** GPT-2 without a head. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class GPT2Model extends PreTrainedModel {
  static readonly family: ModelFamily<GPT2Config> = gpt2Family;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<GPT2Config, GPT2Component> = gpt2Card;
  declare readonly "~components": GPT2Component;
  readonly config: GPT2Config;
  /** The token embedding. */
  readonly wte: Embedding;
  /** The embedding of positions. */
  readonly wpe: Embedding;
  /** Acts in training mode only. */
  readonly drop: Dropout;
  /** The layers, in order. */
  readonly h: ModuleList<GPT2Block>;
  /** The norm after the last layer. */
  readonly ln_f: LayerNorm;

  constructor(config: GivenGPT2 = {}) {
    super();
    const full = gpt2Config(config);
    this.config = full;
    this.wte = new Embedding(full.vocabSize, full.nEmbd, { std: full.initializerRange });
    this.wpe = new Embedding(full.nPositions, full.nEmbd, { std: full.initializerRange });
    this.drop = new Dropout(full.embdPdrop);
    this.h = new ModuleList(Array.from({ length: full.nLayer }, (_, i) => new GPT2Block(full, i)));
    this.ln_f = new LayerNorm(full.nEmbd, { eps: full.layerNormEpsilon });
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const { nPositions: maxPositions } = this.config;
    const pass = beginPass(inputs, { name: "GPT2Model", embed: this.wte, maxPositions });
    const mask = pass.mask();
    return runLayers(this.drop.forward(pass.embedded.add(this.wpe.forward(pass.positions))), {
      layers: this.h,
      norm: this.ln_f,
      pass,
      context: () => ({ mask }),
    });
  }
}

/** GPT-2 as a language model: logits of the next token. The output matrix is the embedding's. */
export class GPT2LMHeadModel extends CausalLanguageModel {
  static readonly family: ModelFamily<GPT2Config> = gpt2Family;
  declare readonly "~components": GPT2Component;
  readonly config: GPT2Config;
  /** The model without a head. */
  readonly transformer: GPT2Model;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: Linear;

  constructor(config: GivenGPT2 = {}) {
    super();
    this.transformer = new GPT2Model(config);
    this.config = this.transformer.config;
    this.lm_head = new Linear(this.config.nEmbd, this.config.vocabSize, {
      bias: false,
      ...(this.config.tieWordEmbeddings ? { weight: this.transformer.wte.weight } : {}),
    });
  }

  override get maxLength(): number {
    return this.config.nPositions;
  }

  /** `labels` [batch, sequence]: the ids themselves (they are shifted here); -100 is left out. */
  override forward(inputs: CausalLMInputs): CausalLMOutput {
    const { labels, ...rest } = inputs;
    const { lastHiddenState, ...others } = this.transformer.forward(rest);
    const logits = this.lm_head.forward(lastHiddenState);
    return {
      logits,
      ...(labels === undefined ? {} : { loss: nextTokenLoss(logits, labels) }),
      ...others,
    };
  }
}

/** GPT-2 with a linear classifier on the last token that is not padding. */
export class GPT2ForSequenceClassification extends PreTrainedModel {
  static readonly family: ModelFamily<GPT2Config> = gpt2Family;
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": GPT2Component;
  readonly config: GPT2Config;
  /** The model without a head. */
  readonly transformer: GPT2Model;
  /** [..., hidden] -> [..., labels]: the classifier. */
  readonly score: Linear;

  constructor(config: GivenGPT2 = {}) {
    super();
    this.transformer = new GPT2Model(config);
    this.config = this.transformer.config;
    this.score = new Linear(this.config.nEmbd, this.config.numLabels, { bias: false });
  }

  override forward(inputs: ClassifierInputs): SequenceClassifierOutput {
    return classifierOutput(this.transformer, this.score, inputs);
  }
}
