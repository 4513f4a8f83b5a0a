import { fail } from "../../../nn/errors.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { cat, stack } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { attend, type LayerOutput, splitHeads } from "../../parts/decoder/attend.ts";
import type { RotaryContext } from "../../parts/decoder/attention.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { beginPass, runLayers } from "../../parts/decoder/pass.ts";
import { RotaryEmbedding, type Rotation } from "../../parts/decoder/rotary-embedding.ts";
import {
  TransformerForCausalLM,
  TransformerForSequenceClassification,
} from "../../parts/decoder/transformer-heads.ts";
import { attentionParts, type LayerPart, mlpParts } from "../../parts/layer-components.ts";
import type { DecoderInputs, DecoderOutput } from "../../parts/outputs.ts";
import { activation } from "../../settings/activations.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings, type Settings } from "../../settings/define-settings.ts";
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

/** Settings of a GPT-J, with Hugging Face's meanings and defaults. */
export interface GPTJConfig extends ModelConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Longest sequence. */
  readonly nPositions: number;
  /** Width of the residual stream. */
  readonly nEmbd: number;
  /** Layers. */
  readonly nLayer: number;
  /** Heads of each attention. */
  readonly nHead: number;
  /** How many of each head's values are rotated. */
  readonly rotaryDim: number;
  /** Width inside the MLP; null means 4 nEmbd. */
  readonly nInner: number | null;
  /** Name of the activation in the MLP, such as "gelu_new". */
  readonly activationFunction: string;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly residPdrop: number;
  /** Share of the embeddings that are dropped in training mode. */
  readonly embdPdrop: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attnPdrop: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEpsilon: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

/** Settings as they may be given: in part, or under the names of other families. */
type GivenGPTJ = Partial<GPTJConfig> & {
  readonly [
    K in "hiddenSize" | "maxPositionEmbeddings" | "numAttentionHeads" | "numHiddenLayers"
  ]?: number;
};

/** @throws ModelError for a width that heads do not share evenly, and for a rotation that heads have no room for. */
function complete(config: GPTJConfig): GPTJConfig {
  const { nEmbd, nHead, rotaryDim } = config;
  if (nEmbd % nHead !== 0) {
    fail("GPTJConfig", `nEmbd (${nEmbd}) must be a multiple of nHead (${nHead})`);
  }
  const headDim = nEmbd / nHead;
  if (rotaryDim % 2 === 0 && rotaryDim <= headDim) return config;
  return fail(
    "GPTJConfig",
    `rotaryDim (${rotaryDim}) values of each head's ${headDim} cannot be rotated in pairs`,
  );
}

/** What settings GPT-Js have. */
const GPTJ_SETTINGS: Settings<GPTJConfig> = defineSettings<GPTJConfig>({
  name: "GPTJConfig",
  modelType: "gptj",
  rows: {
    vocabSize: width(50400),
    nPositions: whole(2048, { names: ["maxPositionEmbeddings"] }),
    nEmbd: width(4096, { names: ["hiddenSize"] }),
    nLayer: count(28, { names: ["numHiddenLayers"] }),
    nHead: width(16, { names: ["numAttentionHeads"] }),
    rotaryDim: width(64),
    nInner: width.orNull(null),
    activationFunction: activationName("gelu_new"),
    residPdrop: fraction(0),
    embdPdrop: fraction(0),
    attnPdrop: fraction(0),
    layerNormEpsilon: nonNegative(1e-5),
    initializerRange: nonNegative(0.02),
    tieWordEmbeddings: flag(false),
    numLabels: whole(2),
    bosTokenId: token.orNull(50256),
    eosTokenId: tokens.orNull(50256),
    padTokenId: token.orNull(null),
  },
  // Of a class that is not here.
  inert: [
    "nCtx",
    "summaryType",
    "summaryUseProj",
    "summaryActivation",
    "summaryProjToLabels",
    "summaryFirstDropout",
  ],
  neutral: {
    rotary: { values: [true], why: "positions would not be rotations" },
    scaleAttnWeights: { values: [true], why: "attention scores would not be scaled" },
  },
  numbered: [{ path: "h", setting: "nLayer" }],
  shapes: ({ nEmbd, nInner }) => ({
    "wte.weight": ["vocabSize", "nEmbd"],
    "lm_head.weight": ["vocabSize", "nEmbd"],
    "score.weight": ["numLabels", "nEmbd"],
    "h.0.attn.q_proj.weight": ["nEmbd", "nEmbd"],
    "h.0.mlp.fc_in.weight": [nInner === null ? ["4 * nEmbd", 4 * nEmbd] : "nInner", "nEmbd"],
  }),
  complete,
});

/**
 * GPT-J settings: those given over the defaults, which are those of the 6B model.
 * @throws ModelError for sizes that cannot be.
 */
export function gptjConfig(given: GivenGPTJ = {}): GPTJConfig {
  return GPTJ_SETTINGS.read(given);
}

/** How checkpoints of GPT-J are read. */
const gptjFamily: ModelFamily<GPTJConfig> = declareFamily(GPTJ_SETTINGS, {
  basePrefix: "transformer",
  // Causal masks and angles, which old versions saved as if they were weights.
  ignored: [/(?:^|\.)h\.\d+\.attn\.(?:(?:masked_)?bias|embed_positions)$/],
});

/** Width inside the MLP. */
function innerWidth({ nInner, nEmbd }: GPTJConfig): number {
  return nInner ?? 4 * nEmbd;
}

/** What sizes the components have. */
const SIZES = {
  width: ({ nEmbd }: GPTJConfig): number => nEmbd,
  heads: ({ nHead }: GPTJConfig): number => nHead,
  inner: innerWidth,
};

const LAYER = "h.{layer}";

const ATTENTION = {
  input: ".attn",
  output: ".attn",
  addition: ".attention_addition",
  mixed: ".attn.out_proj",
  weight: ".attn.attn_dropout",
  query: ".attn.q_proj",
  key: ".attn.k_proj",
  value: ".attn.v_proj",
};

const MLP = { input: ".mlp", output: ".mlp", addition: ".mlp_addition", activation: ".mlp.act" };

/** Where the components of GPT-J are, within the model without a head. */
const card: ModelCard<GPTJConfig, LayerPart> = {
  layers: ({ nLayer }) => nLayer,
  components: {
    ...attentionParts(LAYER, ATTENTION, SIZES),
    ...mlpParts(LAYER, MLP, SIZES),
  },
};

/** x [batch, heads, sequence, headDim] with its first values rotated, each with its neighbour. */
function rotateEveryTwo(x: Tensor, { cos, sin }: Rotation): Tensor {
  const [b = 1, h = 1, s = 1, d = 1] = x.shape;
  const [pairs, rotated] = [cos.size(-1), 2 * cos.size(-1)];
  const [c, i] = [cos.unsqueeze(1), sin.unsqueeze(1)];
  const both = x.slice(-1, 0, rotated).reshape([b, h, s, pairs, 2]);
  const [even, odd] = [both.select(-1, 0), both.select(-1, 1)];
  const turned = stack([even.mul(c).sub(odd.mul(i)), odd.mul(c).add(even.mul(i))], -1);
  const flat = turned.reshape([b, h, s, rotated]);
  return rotated === d ? flat : cat([flat, x.slice(-1, rotated)], -1);
}

/** Attention with partly rotated heads. */
class GPTJAttention extends Module {
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
  /** Acts in training mode only. */
  readonly resid_dropout: Dropout;
  readonly #headDim: number;

  constructor({ nEmbd, nHead, initializerRange: std, attnPdrop, residPdrop }: GPTJConfig) {
    super();
    const projection = (): Linear => initialLinear(nEmbd, nEmbd, { bias: false, std });
    this.k_proj = projection();
    this.v_proj = projection();
    this.q_proj = projection();
    this.out_proj = projection();
    this.attn_dropout = new Dropout(attnPdrop);
    this.resid_dropout = new Dropout(residPdrop);
    this.#headDim = nEmbd / nHead;
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const { rotation } = context;
    const query = splitHeads(this.q_proj.forward(x), this.#headDim);
    const key = splitHeads(this.k_proj.forward(x), this.#headDim);
    const value = splitHeads(this.v_proj.forward(x), this.#headDim);
    const added = { key: rotateEveryTwo(key, rotation), value };
    const [mixed, weights, cache] = attend(rotateEveryTwo(query, rotation), added, context, {
      scale: 1 / Math.sqrt(this.#headDim),
      dropout: this.attn_dropout,
    });
    return [this.resid_dropout.forward(this.out_proj.forward(mixed)), weights, cache];
  }
}

class GPTJMLP extends Module {
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly fc_in: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's second layer. */
  readonly fc_out: Linear;
  /** The activation. */
  readonly act: Activation;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(config: GPTJConfig) {
    super();
    const { nEmbd, initializerRange: std } = config;
    const inner = innerWidth(config);
    this.fc_in = initialLinear(nEmbd, inner, { bias: true, std });
    this.fc_out = initialLinear(inner, nEmbd, { bias: true, std });
    this.act = activation(config.activationFunction);
    this.dropout = new Dropout(config.residPdrop);
  }

  override forward(x: Tensor): Tensor {
    return this.dropout.forward(this.fc_out.forward(this.act.forward(this.fc_in.forward(x))));
  }
}

/** A layer whose attention and MLP read the same. */
class GPTJBlock extends Module {
  /** The norm before attention and MLP. */
  readonly ln_1: LayerNorm;
  /** The attention. */
  readonly attn: GPTJAttention;
  /** The MLP. */
  readonly mlp: GPTJMLP;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();

  constructor(config: GPTJConfig) {
    super();
    this.ln_1 = new LayerNorm(config.nEmbd, { eps: config.layerNormEpsilon });
    this.attn = new GPTJAttention(config);
    this.mlp = new GPTJMLP(config);
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const normed = this.ln_1.forward(x);
    const [attended, weights, cache] = this.attn.forward(normed, context);
    const fed = this.mlp_addition.forward(this.mlp.forward(normed));
    return [this.attention_addition.forward(attended).add(fed).add(x), weights, cache];
  }
}

/** GPT-J without a head. */
export class GPTJModel extends PreTrainedModel {
  static readonly family: ModelFamily<GPTJConfig> = gptjFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<GPTJConfig, LayerPart> = card;
  declare readonly "~components": LayerPart;
  readonly config: GPTJConfig;
  /** The token embedding. */
  readonly wte: Embedding;
  /** Acts in training mode only. */
  readonly drop: Dropout;
  /** The layers, in order. */
  readonly h: ModuleList<GPTJBlock>;
  /** The norm after the last layer. */
  readonly ln_f: LayerNorm;
  /** Angles that queries and keys are turned by, from positions. */
  readonly rotary_emb: RotaryEmbedding;

  constructor(given: GivenGPTJ = {}) {
    super();
    const config = gptjConfig(given);
    const { nEmbd, nLayer: length, nPositions, rotaryDim: headDim } = config;
    this.config = config;
    this.wte = new Embedding(config.vocabSize, nEmbd, { std: config.initializerRange });
    this.drop = new Dropout(config.embdPdrop);
    this.h = new ModuleList(Array.from({ length }, () => new GPTJBlock(config)));
    this.ln_f = new LayerNorm(nEmbd, { eps: config.layerNormEpsilon });
    const rope = { ropeType: "default", ropeTheta: 10_000 } as const;
    this.rotary_emb = new RotaryEmbedding(rope, { headDim, maxPositionEmbeddings: nPositions });
  }

  /** The table of tokens, which the head may share. */
  get embedding(): Embedding {
    return this.wte;
  }

  /** Longest sequence. */
  get maxLength(): number {
    return this.config.nPositions;
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const maxPositions = this.maxLength;
    const pass = beginPass(inputs, { name: "GPTJModel", embed: this.wte, maxPositions });
    const rotation = this.rotary_emb.forward(pass.positions);
    const mask = pass.mask();
    return runLayers(this.drop.forward(pass.embedded), {
      layers: this.h,
      norm: this.ln_f,
      pass,
      context: () => ({ rotation, mask }),
    });
  }
}

/** GPT-J as a language model: logits of the next token. */
export class GPTJForCausalLM extends TransformerForCausalLM<GPTJModel> {
  static readonly family: ModelFamily<GPTJConfig> = gptjFamily;

  constructor(config: GivenGPTJ = {}) {
    super(new GPTJModel(config), { bias: true });
  }
}

/** GPT-J with a linear classifier on the last token that is not padding. */
export class GPTJForSequenceClassification extends TransformerForSequenceClassification<GPTJModel> {
  static readonly family: ModelFamily<GPTJConfig> = gptjFamily;

  constructor(config: GivenGPTJ = {}) {
    super(new GPTJModel(config));
  }
}
