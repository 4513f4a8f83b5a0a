import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import type { ModelFamily } from "../family.ts";
import { requireStages } from "../vision/require-stages.ts";

/** Settings of a ConvNeXt, with Hugging Face's meanings and defaults. */
export interface ConvNextConfig extends ModelConfig {
  readonly numChannels: number;
  /** Height and width of the patches that the first convolution makes vectors of. */
  readonly patchSize: number;
  /** Channels of each stage. */
  readonly hiddenSizes: readonly number[];
  /** Layers of each stage. */
  readonly depths: readonly number[];
  readonly hiddenAct: string;
  /** Standard deviation of weights at the start. */
  readonly initializerRange: number;
  /** Of the norm after the last stage; all others have 1e-6. */
  readonly layerNormEps: number;
  /** What each layer's output is scaled by at the start; 0 for no such scale. */
  readonly layerScaleInitValue: number;
  /** Share of images that skip the last layer while training; less in those before. */
  readonly dropPathRate: number;
  readonly numLabels: number;
}

const DEFAULTS: ConvNextConfig = {
  modelType: "convnext",
  numChannels: 3,
  patchSize: 4,
  hiddenSizes: [96, 192, 384, 768],
  depths: [3, 3, 9, 3],
  hiddenAct: "gelu",
  initializerRange: 0.02,
  layerNormEps: 1e-12,
  layerScaleInitValue: 1e-6,
  dropPathRate: 0,
  numLabels: 2,
};

/**
 * ConvNeXt settings: those given over the defaults, which are ConvNeXt-tiny's.
 * @throws TensorError for sizes that cannot be.
 */
export function convNextConfig(given: Partial<ConvNextConfig> = {}): ConvNextConfig {
  const config = withDefaults(DEFAULTS, given);
  const { numChannels, patchSize, hiddenSizes, depths } = config;
  requirePositive("ConvNextConfig", { numChannels, patchSize });
  requireStages("ConvNextConfig", hiddenSizes, depths);
  return config;
}

/** How checkpoints of ConvNeXts are read. */
export const convNextFamily: ModelFamily<ConvNextConfig> = {
  modelType: "convnext",
  readConfig: (fields) => convNextConfig(checkedFields("ConvNextConfig", DEFAULTS, fields)),
  basePrefix: "convnext",
};
