import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";
import { type ExpertCounts, requireExperts } from "../decoder/expert-counts.ts";
import { layerTypes, type LayerType } from "../decoder/layer-types.ts";

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

const DEFAULTS: GptOssConfig = {
  ...DECODER_DEFAULTS,
  modelType: "gpt_oss",
  vocabSize: 201_088,
  hiddenSize: 2880,
  intermediateSize: 2880,
  numHiddenLayers: 36,
  numAttentionHeads: 64,
  numKeyValueHeads: 8,
  headDim: 64,
  maxPositionEmbeddings: 131_072,
  rmsNormEps: 1e-5,
  ropeParameters: {
    ropeType: "yarn",
    ropeTheta: 150_000,
    factor: 32,
    betaFast: 32,
    betaSlow: 1,
    truncate: false,
    originalMaxPositionEmbeddings: 4096,
  },
  attentionBias: true,
  slidingWindow: 128,
  layerTypes: [],
  numLocalExperts: 128,
  numExpertsPerTok: 4,
};

/** gpt-oss settings: those given over the defaults, which are those of the 120B model. */
export function gptOssConfig(given: Given<GptOssConfig> = {}): GptOssConfig {
  const config = rotaryConfig("GptOssConfig", DEFAULTS, given);
  requireExperts("GptOssConfig", config);
  const slides = (layer: number): boolean => layer % 2 === 0;
  return { ...config, layerTypes: layerTypes("GptOssConfig", config, slides) };
}

/** How checkpoints of gpt-oss are read. */
export const gptOssFamily: ModelFamily<GptOssConfig> = decoderFamily({
  name: "GptOssConfig",
  defaults: DEFAULTS,
  config: gptOssConfig,
});
