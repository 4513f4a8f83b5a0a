import {
  checkedFields,
  type JsonValue,
  type ModelConfig,
  requirePositive,
  withDefaults,
} from "../config.ts";
import { requireHeads } from "../encoder/require-heads.ts";
import type { ModelFamily } from "../family.ts";
import { type PatchConfig, requirePatches } from "../vision/patch-embedding.ts";

/** What the layers for text and those for images both have. */
export interface CLIPTowerConfig extends ModelConfig {
  readonly hiddenSize: number;
  /** Width inside the MLPs. */
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly hiddenAct: string;
  readonly layerNormEps: number;
  readonly attentionDropout: number;
  readonly initializerRange: number;
  /** Factor of the standard deviations of all weights at the start. */
  readonly initializerFactor: number;
}

/** Settings of CLIP's text encoder. */
export interface CLIPTextConfig extends CLIPTowerConfig {
  readonly vocabSize: number;
  /** Longest text. */
  readonly maxPositionEmbeddings: number;
  /** The token whose vector stands for the text. */
  readonly eosTokenId: number;
}

/** Settings of CLIP's image encoder. */
export interface CLIPVisionConfig extends CLIPTowerConfig, PatchConfig {}

/** Settings of a CLIP, with Hugging Face's meanings and defaults. */
export interface CLIPConfig extends ModelConfig {
  readonly textConfig: CLIPTextConfig;
  readonly visionConfig: CLIPVisionConfig;
  /** Width of the space in which texts and images are compared. */
  readonly projectionDim: number;
  /** Logarithm of the factor of similarities at the start. */
  readonly logitScaleInitValue: number;
  readonly initializerFactor: number;
  readonly numLabels: number;
}

/** Some settings of a CLIP. */
export interface PartialCLIPConfig extends Partial<
  Omit<CLIPConfig, "textConfig" | "visionConfig">
> {
  readonly textConfig?: Partial<CLIPTextConfig>;
  readonly visionConfig?: Partial<CLIPVisionConfig>;
}

const TOWER = {
  hiddenAct: "quick_gelu",
  layerNormEps: 1e-5,
  attentionDropout: 0,
  initializerRange: 0.02,
  initializerFactor: 1,
  numHiddenLayers: 12,
};

const TEXT: CLIPTextConfig = {
  ...TOWER,
  modelType: "clip_text_model",
  vocabSize: 49408,
  hiddenSize: 512,
  intermediateSize: 2048,
  numAttentionHeads: 8,
  maxPositionEmbeddings: 77,
  padTokenId: 1,
  bosTokenId: 49406,
  eosTokenId: 49407,
};

const VISION: CLIPVisionConfig = {
  ...TOWER,
  modelType: "clip_vision_model",
  hiddenSize: 768,
  intermediateSize: 3072,
  numAttentionHeads: 12,
  numChannels: 3,
  imageSize: 224,
  patchSize: 32,
};

const DEFAULTS: Omit<CLIPConfig, "textConfig" | "visionConfig"> = {
  modelType: "clip",
  projectionDim: 512,
  logitScaleInitValue: 2.6592,
  initializerFactor: 1,
  numLabels: 2,
};

function checkTower(name: string, config: CLIPTowerConfig): void {
  const { hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads } = config;
  requirePositive(name, { hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads });
  requireHeads(name, config);
}

/** Settings of CLIP's text encoder: those given over the defaults, which are ViT-B/32's. */
export function clipTextConfig(given: Partial<CLIPTextConfig> = {}): CLIPTextConfig {
  const config = withDefaults(TEXT, given);
  const { vocabSize, maxPositionEmbeddings } = config;
  requirePositive("CLIPTextConfig", { vocabSize, maxPositionEmbeddings });
  checkTower("CLIPTextConfig", config);
  return config;
}

/** Settings of CLIP's image encoder: those given over the defaults, which are ViT-B/32's. */
export function clipVisionConfig(given: Partial<CLIPVisionConfig> = {}): CLIPVisionConfig {
  const config = withDefaults(VISION, given);
  const { numChannels, imageSize, patchSize } = config;
  requirePositive("CLIPVisionConfig", { numChannels, imageSize, patchSize });
  requirePatches("CLIPVisionConfig", config);
  checkTower("CLIPVisionConfig", config);
  return config;
}

/**
 * CLIP settings: those given over the defaults, which are ViT-B/32's.
 * @throws TensorError for sizes that cannot be.
 */
export function clipConfig(given: PartialCLIPConfig = {}): CLIPConfig {
  const { textConfig, visionConfig, ...rest } = given;
  const config = withDefaults(DEFAULTS, rest);
  const { projectionDim, numLabels } = config;
  requirePositive("CLIPConfig", { projectionDim, numLabels });
  return {
    ...config,
    textConfig: clipTextConfig(textConfig),
    visionConfig: clipVisionConfig(visionConfig),
  };
}

type Fields = Readonly<Record<string, JsonValue>>;

/** How checkpoints of CLIPs are read. */
export const clipFamily: ModelFamily<CLIPConfig> = {
  modelType: "clip",
  readConfig: ({ textConfig, visionConfig, ...fields }) =>
    clipConfig({
      ...checkedFields("CLIPConfig", DEFAULTS, fields),
      textConfig: checkedFields("CLIPTextConfig", TEXT, (textConfig ?? {}) as Fields),
      visionConfig: checkedFields("CLIPVisionConfig", VISION, (visionConfig ?? {}) as Fields),
    }),
  basePrefix: "clip",
  // Numbers of positions, which old versions saved as if they were weights.
  ignored: [/embeddings\.position_ids$/],
};
