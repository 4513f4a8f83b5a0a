import { fail } from "../../../nn/errors.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import type { ModelConfig } from "../../settings/config.ts";
import {
  defineSettings,
  type SettingRows,
  type Settings,
  type SettingsSpec,
} from "../../settings/define-settings.ts";
import type { ClaimedShapes, Dimension } from "../../settings/fits-checkpoint.ts";
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

/** Settings of a GPT-2, with Hugging Face's meanings and defaults. */
export interface GPT2Config extends ModelConfig {
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
  /** Divide attention scores by the square root of the heads' width. */
  readonly scaleAttnWeights: boolean;
  /** Divide them by the layer's number (from 1) too. */
  readonly scaleAttnByInverseLayerIdx: boolean;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

/** Settings as they may be given: in part, or under the names of other families. */
export type GivenGPT2<Config extends GPT2Config = GPT2Config> = Partial<Config> & {
  readonly [
    K in "hiddenSize" | "maxPositionEmbeddings" | "numAttentionHeads" | "numHiddenLayers"
  ]?: number;
};

/** What a GPT-2's settings can be. */
export const GPT2_ROWS: SettingRows<GPT2Config> = {
  vocabSize: width(50257),
  nPositions: width(1024, { names: ["maxPositionEmbeddings"] }),
  nEmbd: width(768, { names: ["hiddenSize"] }),
  nLayer: count(12, { names: ["numHiddenLayers"] }),
  nHead: width(12, { names: ["numAttentionHeads"] }),
  nInner: width.orNull(null),
  activationFunction: activationName("gelu_new"),
  residPdrop: fraction(0.1),
  embdPdrop: fraction(0.1),
  attnPdrop: fraction(0.1),
  layerNormEpsilon: nonNegative(1e-5),
  initializerRange: nonNegative(0.02),
  scaleAttnWeights: flag(true),
  scaleAttnByInverseLayerIdx: flag(false),
  tieWordEmbeddings: flag(true),
  numLabels: whole(2),
  bosTokenId: token.orNull(50256),
  eosTokenId: tokens.orNull(50256),
  padTokenId: token.orNull(null),
};

/** Fields of a GPT-2's files that change nothing here: of a class that is not here, and of rounding. */
export const GPT2_INERT: SettingsSpec<GPT2Config>["inert"] & {} = [
  "nCtx",
  "summaryType",
  "summaryUseProj",
  "summaryActivation",
  "summaryProjToLabels",
  "summaryFirstDropout",
  "summaryHiddenSize",
  "reorderAndUpcastAttn",
];

/** @throws ModelError for a width that heads do not share evenly. */
export function requireGPT2Heads<Config extends GPT2Config>(
  family: string,
  config: Config,
): Config {
  const { nEmbd, nHead } = config;
  if (nEmbd % nHead === 0) return config;
  return fail(family, `nEmbd (${nEmbd}) must be a multiple of nHead (${nHead})`);
}

/** Shapes that a GPT-2's settings say its tensors have; those of its layers lie [in, out]. */
export function gpt2Shapes({ nEmbd, nInner }: GPT2Config): ClaimedShapes {
  const inner: Dimension = nInner === null ? ["4 * nEmbd", 4 * nEmbd] : "nInner";
  return {
    "wte.weight": ["vocabSize", "nEmbd"],
    "wpe.weight": ["nPositions", "nEmbd"],
    "lm_head.weight": ["vocabSize", "nEmbd"],
    "score.weight": ["numLabels", "nEmbd"],
    "h.0.attn.c_attn.weight": ["nEmbd", ["3 * nEmbd", 3 * nEmbd]],
    "h.0.mlp.c_fc.weight": ["nEmbd", inner],
  };
}

/** What settings GPT-2s have. */
export const GPT2_SETTINGS: Settings<GPT2Config> = defineSettings<GPT2Config>({
  name: "GPT2Config",
  modelType: "gpt2",
  rows: GPT2_ROWS,
  inert: GPT2_INERT,
  shapes: gpt2Shapes,
  numbered: [{ path: "h", setting: "nLayer" }],
  complete: (config) => requireGPT2Heads("GPT2Config", config),
});

/**
 * GPT-2 settings: those given over the defaults, which are GPT-2 small's.
 * @throws ModelError for sizes that cannot be.
 */
export function gpt2Config(given: GivenGPT2 = {}): GPT2Config {
  return GPT2_SETTINGS.read(given);
}

/** How checkpoints of GPT-2 are read. */
export const gpt2Family: ModelFamily<GPT2Config> = declareFamily(GPT2_SETTINGS, {
  basePrefix: "transformer",
  // Causal masks, which old versions saved as if they were weights.
  ignored: [/(?:^|\.)h\.\d+\.attn\.(?:masked_)?bias$/],
});
