import type { ModelConfig } from "../../settings/config.ts";
import type { ModelFamily } from "../../model/family.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import { activationName, count, fraction, listOf, nonNegative, whole, width } from "../../settings/kinds.ts"; // prettier-ignore
import { requireStages, withoutNullStages } from "../../parts/vision/require-stages.ts";
import { BACKBONE_FIELDS } from "../../parts/vision/rows.ts";

/** Settings of a ConvNeXt, with Hugging Face's meanings and defaults. */
export interface ConvNextConfig extends ModelConfig {
  readonly numChannels: number;
  /** Height and width of the patches that the first convolution makes vectors of. */
  readonly patchSize: number;
  /** How many stages there are, as `hiddenSizes` and `depths` say too. */
  readonly numStages?: number;
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

const SETTINGS = defineSettings<ConvNextConfig>({
  name: "ConvNextConfig",
  modelType: "convnext",
  rows: {
    numChannels: width(3),
    patchSize: width(4),
    numStages: count(undefined),
    hiddenSizes: listOf(width, [96, 192, 384, 768]),
    depths: listOf(count, [3, 3, 9, 3]),
    hiddenAct: activationName("gelu"),
    initializerRange: nonNegative(0.02),
    layerNormEps: nonNegative(1e-12),
    layerScaleInitValue: nonNegative(1e-6),
    dropPathRate: fraction(0),
    numLabels: whole(2),
  },
  inert: { ...BACKBONE_FIELDS, imageSize: "images may have any size" },
  translate: withoutNullStages,
  numbered: [{ path: "encoder.stages", setting: "numStages" }],
  shapes: ({ hiddenSizes }) => ({
    "embeddings.patch_embeddings.weight": [
      "hiddenSizes.0",
      "numChannels",
      "patchSize",
      "patchSize",
    ],
    ...Object.fromEntries(
      hiddenSizes.map((_, i) => [
        `encoder.stages.${i}.layers.0.layernorm.weight`,
        [`hiddenSizes.${i}`],
      ]),
    ),
  }),
  complete: (config) => {
    requireStages("ConvNextConfig", config);
    return { ...config, numStages: config.depths.length };
  },
});

/**
 * ConvNeXt settings: those given over the defaults, which are ConvNeXt-tiny's.
 * @throws ModelError for settings that cannot be.
 */
export function convNextConfig(given: Partial<ConvNextConfig> = {}): ConvNextConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of ConvNeXts are read. */
export const convNextFamily: ModelFamily<ConvNextConfig> = {
  modelType: "convnext",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
  basePrefix: "convnext",
};
