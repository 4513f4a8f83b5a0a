import { fail } from "../../../nn/errors.ts";
import type { ModelFamily } from "../../model/family.ts";
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
  readonly vocabSize: number;
  /** Longest sequence. */
  readonly nPositions: number;
  /** Width of the residual stream. */
  readonly nEmbd: number;
  readonly nLayer: number;
  readonly nHead: number;
  /** How many of each head's values are rotated. */
  readonly rotaryDim: number;
  /** Width inside the MLP; null stands for 4 nEmbd. */
  readonly nInner: number | null;
  readonly activationFunction: string;
  readonly residPdrop: number;
  readonly embdPdrop: number;
  readonly attnPdrop: number;
  readonly layerNormEpsilon: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
}

/** Settings as they may be given: in part, or under the names of other families. */
export type GivenGPTJ = Partial<GPTJConfig> & {
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
export const GPTJ_SETTINGS: Settings<GPTJConfig> = defineSettings<GPTJConfig>({
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
export const gptjFamily: ModelFamily<GPTJConfig> = {
  modelType: "gptj",
  settings: GPTJ_SETTINGS,
  readConfig: GPTJ_SETTINGS.fromFields,
  basePrefix: "transformer",
  // Causal masks and angles, which old versions saved as if they were weights.
  ignored: [/(?:^|\.)h\.\d+\.attn\.(?:(?:masked_)?bias|embed_positions)$/],
};
