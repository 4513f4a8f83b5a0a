import type { ModelFamily } from "../../model/family.ts";
import {
  attentionShapes,
  decoderFamily,
  decoderRows,
  edgeShapes,
  type Given,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { flag, nonNegative, whole, width } from "../../settings/kinds.ts";
import {
  type ExpertCounts,
  expertRows,
  requireExperts,
  ROUTER_FIELDS,
} from "../../parts/decoder/expert-counts.ts";
import { layerTypes, layerTypesRow, type LayerType } from "../../parts/decoder/layer-types.ts";

/** Settings of a gpt-oss, with Hugging Face's meanings and defaults. */
export interface GptOssConfig extends RotaryConfig, ExpertCounts {
  readonly headDim: number;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** How many tokens each one sees in layers with a sliding window, itself included. */
  readonly slidingWindow: number | null;
  /** What each layer sees; every other has a sliding window, if it is not given. */
  readonly layerTypes: readonly LayerType[];
}

/** What settings gpt-oss has. */
export const GPT_OSS_SETTINGS: Settings<GptOssConfig> = defineRotarySettings<GptOssConfig>({
  name: "GptOssConfig",
  modelType: "gpt_oss",
  rope: {
    ropeType: "yarn",
    ropeTheta: 150_000,
    factor: 32,
    betaFast: 32,
    betaSlow: 1,
    truncate: false,
    originalMaxPositionEmbeddings: 4096,
  },
  rows: {
    ...decoderRows({
      vocabSize: 201_088,
      hiddenSize: 2880,
      intermediateSize: 2880,
      numHiddenLayers: 36,
      numAttentionHeads: 64,
      maxPositionEmbeddings: 131_072,
    }),
    numKeyValueHeads: width.orNull(8),
    headDim: width(64),
    ...expertRows({ numLocalExperts: 128, numExpertsPerTok: 4 }),
    rmsNormEps: nonNegative(1e-5),
    attentionBias: flag(true),
    slidingWindow: whole.orNull(128),
    layerTypes: layerTypesRow,
  },
  inert: [...ROUTER_FIELDS.inert, "hiddenAct", "initialContextLength"],
  neutral: {
    ...ROUTER_FIELDS.neutral,
    swigluLimit: { values: [7], why: "experts cut off at 7" },
  },
  shapes: (config) => ({
    ...edgeShapes(),
    ...attentionShapes(config),
    "layers.0.self_attn.sinks": ["numAttentionHeads"],
    "layers.0.mlp.router.weight": ["numLocalExperts", "hiddenSize"],
    "layers.0.mlp.experts.down_proj": ["numLocalExperts", "intermediateSize", "hiddenSize"],
  }),
  complete: (config) => {
    const slides = (layer: number): boolean => layer % 2 === 0;
    requireExperts("GptOssConfig", config);
    return { ...config, layerTypes: layerTypes("GptOssConfig", config, slides) };
  },
});

/** gpt-oss settings: those given over the defaults, which are those of the 120B model. */
export function gptOssConfig(given: Given<GptOssConfig> = {}): GptOssConfig {
  return GPT_OSS_SETTINGS.read(given);
}

/** How checkpoints of gpt-oss are read. */
export const gptOssFamily: ModelFamily<GptOssConfig> = decoderFamily(GPT_OSS_SETTINGS);
