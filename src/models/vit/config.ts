import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import { requireHeads } from "../encoder/require-heads.ts";
import type { ModelFamily } from "../family.ts";
import { type PatchConfig, requirePatches } from "../vision/patch-embedding.ts";

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

const DEFAULTS: ViTConfig = {
  modelType: "vit",
  hiddenSize: 768,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  intermediateSize: 3072,
  hiddenAct: "gelu",
  hiddenDropoutProb: 0,
  attentionProbsDropoutProb: 0,
  initializerRange: 0.02,
  layerNormEps: 1e-12,
  imageSize: 224,
  patchSize: 16,
  numChannels: 3,
  qkvBias: true,
  poolerOutputSize: null,
  poolerAct: "tanh",
  numLabels: 2,
};

/**
 * ViT settings: those given over the defaults, which are ViT-base's.
 * @throws TensorError for sizes that cannot be.
 */
export function viTConfig(given: Partial<ViTConfig> = {}): ViTConfig {
  const config = withDefaults(DEFAULTS, given);
  const { hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize } = config;
  const { imageSize, patchSize, numChannels } = config;
  const sizes = { hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize };
  requirePositive("ViTConfig", { ...sizes, imageSize, patchSize, numChannels });
  requireHeads("ViTConfig", config);
  requirePatches("ViTConfig", config);
  return config;
}

/** How checkpoints of vision transformers are read. */
export const viTFamily: ModelFamily<ViTConfig> = {
  modelType: "vit",
  readConfig: (fields) => viTConfig(checkedFields("ViTConfig", DEFAULTS, fields)),
  basePrefix: "vit",
  parts: (names) => ({ pooler: names.some((name) => /(?:^|\.)pooler\./.test(name)) }),
};
