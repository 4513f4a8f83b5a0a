import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import { requireOneOf } from "../../tensor/known-options.ts";
import type { ModelFamily } from "../family.ts";
import { requireStages } from "../vision/require-stages.ts";

/** Settings of a ResNet, with Hugging Face's meanings and defaults. */
export interface ResNetConfig extends ModelConfig {
  readonly numChannels: number;
  /** Channels after the first convolution. */
  readonly embeddingSize: number;
  /** Channels of each stage. */
  readonly hiddenSizes: readonly number[];
  /** Layers of each stage. */
  readonly depths: readonly number[];
  /** `basic`: two 3x3 convolutions a layer; `bottleneck`: 1x1, 3x3 on a quarter of channels, 1x1. */
  readonly layerType: string;
  readonly hiddenAct: string;
  /** Halve the image in the first stage too. */
  readonly downsampleInFirstStage: boolean;
  /** Halve the image in a bottleneck's first convolution instead of its second. */
  readonly downsampleInBottleneck: boolean;
  readonly numLabels: number;
}

const DEFAULTS: ResNetConfig = {
  modelType: "resnet",
  numChannels: 3,
  embeddingSize: 64,
  hiddenSizes: [256, 512, 1024, 2048],
  depths: [3, 4, 6, 3],
  layerType: "bottleneck",
  hiddenAct: "relu",
  downsampleInFirstStage: false,
  downsampleInBottleneck: false,
  numLabels: 2,
};

/**
 * ResNet settings: those given over the defaults, which are ResNet-50's.
 * @throws TensorError for sizes that cannot be.
 */
export function resNetConfig(given: Partial<ResNetConfig> = {}): ResNetConfig {
  const config = withDefaults(DEFAULTS, given);
  const { numChannels, embeddingSize, hiddenSizes, depths, layerType } = config;
  requirePositive("ResNetConfig", { numChannels, embeddingSize });
  requireStages("ResNetConfig", hiddenSizes, depths);
  requireOneOf("ResNetConfig", "layerType", layerType, ["basic", "bottleneck"]);
  return config;
}

/** How checkpoints of ResNets are read. */
export const resNetFamily: ModelFamily<ResNetConfig> = {
  modelType: "resnet",
  readConfig: (fields) => resNetConfig(checkedFields("ResNetConfig", DEFAULTS, fields)),
  basePrefix: "resnet",
};
