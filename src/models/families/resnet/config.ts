import type { ModelConfig } from "../../settings/config.ts";
import type { ModelFamily } from "../../model/family.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import { activationName, count, flag, listOf, oneOf, whole, width } from "../../settings/kinds.ts";
import { requireStages, withoutNullStages } from "../../parts/vision/require-stages.ts";
import { BACKBONE_FIELDS } from "../../parts/vision/rows.ts";

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

const SETTINGS = defineSettings<ResNetConfig>({
  name: "ResNetConfig",
  modelType: "resnet",
  rows: {
    numChannels: width(3),
    embeddingSize: width(64),
    hiddenSizes: listOf(width, [256, 512, 1024, 2048]),
    depths: listOf(count, [3, 4, 6, 3]),
    layerType: oneOf(["basic", "bottleneck"], "bottleneck"),
    hiddenAct: activationName("relu"),
    downsampleInFirstStage: flag(false),
    downsampleInBottleneck: flag(false),
    numLabels: whole(2),
  },
  inert: { ...BACKBONE_FIELDS, imageSize: "images may have any size" },
  translate: withoutNullStages,
  shapes: ({ hiddenSizes, layerType }) => ({
    "embedder.embedder.convolution.weight": ["embeddingSize", "numChannels", ["7", 7], ["7", 7]],
    ...Object.fromEntries(
      hiddenSizes.map((_, i) => [
        `encoder.stages.${i}.layers.0.layer.${layerType === "basic" ? 1 : 2}.normalization.weight`,
        [`hiddenSizes.${i}`],
      ]),
    ),
  }),
  complete: (config) => {
    requireStages("ResNetConfig", config);
    return config;
  },
});

/**
 * ResNet settings: those given over the defaults, which are ResNet-50's.
 * @throws ModelError for settings that cannot be.
 */
export function resNetConfig(given: Partial<ResNetConfig> = {}): ResNetConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of ResNets are read. */
export const resNetFamily: ModelFamily<ResNetConfig> = {
  modelType: "resnet",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
  basePrefix: "resnet",
};
