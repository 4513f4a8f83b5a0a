import type { ModelConfig } from "../../settings/config.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import type { ModelFamily } from "../../model/family.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import { activationName, count, flag, fraction, nonNegative, whole, width } from "../../settings/kinds.ts"; // prettier-ignore
import { type PatchConfig, requirePatches } from "../../parts/vision/patch-embedding.ts";
import {
  BACKBONE_FIELDS,
  patchRows,
  patchShape,
  positionCount,
  squareSizes,
} from "../../parts/vision/rows.ts";

/** Settings of a vision transformer, with Hugging Face's meanings and defaults. */
export interface ViTConfig extends ModelConfig, PatchConfig {
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** Width inside the MLP. */
  readonly intermediateSize: number;
  readonly hiddenAct: string;
  readonly hiddenDropoutProb: number;
  readonly attentionProbsDropoutProb: number;
  readonly layerNormEps: number;
  /** Whether queries, keys and values have a bias. */
  readonly qkvBias: boolean;
  /** Width of the pooled vector; null stands for `hiddenSize`. */
  readonly poolerOutputSize: number | null;
  readonly poolerAct: string;
  readonly numLabels: number;
}

const SETTINGS = defineSettings<ViTConfig>({
  name: "ViTConfig",
  modelType: "vit",
  rows: {
    ...patchRows({ imageSize: 224, patchSize: 16, hiddenSize: 768, initializerRange: 0.02 }),
    numHiddenLayers: count(12),
    numAttentionHeads: width(12),
    intermediateSize: width(3072),
    hiddenAct: activationName("gelu"),
    hiddenDropoutProb: fraction(0),
    attentionProbsDropoutProb: fraction(0),
    layerNormEps: nonNegative(1e-12),
    qkvBias: flag(true),
    poolerOutputSize: width.orNull(null),
    poolerAct: activationName("tanh"),
    numLabels: whole(2),
  },
  inert: { ...BACKBONE_FIELDS, encoderStride: "for a model that fills in masked patches" },
  translate: squareSizes,
  numbered: [{ path: "encoder.layer", setting: "numHiddenLayers" }],
  shapes: (config) => ({
    "embeddings.patch_embeddings.projection.weight": patchShape(""),
    "embeddings.position_embeddings": [["1", 1], positionCount("", config), "hiddenSize"],
    "encoder.layer.0.intermediate.dense.weight": ["intermediateSize", "hiddenSize"],
    "pooler.dense.weight": [
      ["poolerOutputSize", config.poolerOutputSize ?? config.hiddenSize],
      "hiddenSize",
    ],
  }),
  complete: (config) => {
    requireHeads("ViTConfig", config);
    requirePatches("ViTConfig", config);
    return config;
  },
});

/**
 * ViT settings: those given over the defaults, which are ViT-base's.
 * @throws ModelError for settings that cannot be.
 */
export function viTConfig(given: Partial<ViTConfig> = {}): ViTConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of vision transformers are read. */
export const viTFamily: ModelFamily<ViTConfig> = {
  modelType: "vit",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
  basePrefix: "vit",
  parts: (names) => ({ pooler: names.some((name) => /(?:^|\.)pooler\./.test(name)) }),
};
