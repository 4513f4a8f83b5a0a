import { fail } from "../../../nn/errors.ts";
import type { ModelFamily } from "../../model/family.ts";
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
export const FIRST_POSITION = 2;

/** Settings of an OPT, with Hugging Face's meanings and defaults. */
export interface OPTConfig extends ModelConfig {
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  readonly numHiddenLayers: number;
  /** Width inside the MLP. */
  readonly ffnDim: number;
  /** Longest sequence. */
  readonly maxPositionEmbeddings: number;
  readonly numAttentionHeads: number;
  /** Norm before attention and MLP, and after the last layer; else after attention and MLP. */
  readonly doLayerNormBefore: boolean;
  /** Leave out the norm after the last layer. */
  readonly removeFinalLayerNorm: boolean;
  /** Width of tokens before they are projected to the residual stream; null: as wide as it. */
  readonly wordEmbedProjDim: number | null;
  readonly activationFunction: string;
  readonly dropout: number;
  readonly attentionDropout: number;
  /** Bias of all projections within layers. */
  readonly enableBias: boolean;
  /** Norms have a learned scale and shift. */
  readonly layerNormElementwiseAffine: boolean;
  /** Standard deviation of the weights to start from. */
  readonly initStd: number;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
}

/** Width of tokens, before they are projected to that of the residual stream. */
export function tokenWidth({ wordEmbedProjDim, hiddenSize }: OPTConfig): number {
  return wordEmbedProjDim ?? hiddenSize;
}

/** What settings OPTs have. */
export const OPT_SETTINGS: Settings<OPTConfig> = defineSettings<OPTConfig>({
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
export const optFamily: ModelFamily<OPTConfig> = {
  modelType: "opt",
  settings: OPT_SETTINGS,
  readConfig: OPT_SETTINGS.fromFields,
  basePrefix: "model",
};
