import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  PLAIN_ROPE,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";
import { layerTypes, type LayerType } from "../decoder/layer-types.ts";

/** Settings of a Qwen 3, with Hugging Face's meanings and defaults. */
export interface Qwen3Config extends RotaryConfig {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Whether there are layers with a sliding window at all. */
  readonly useSlidingWindow: boolean;
  /** How many tokens each one sees in such layers, itself included. */
  readonly slidingWindow: number | null;
  /** The first layer with a sliding window, unless `layerTypes` says it. */
  readonly maxWindowLayers: number;
  /** What each layer sees. */
  readonly layerTypes: readonly LayerType[];
}

const DEFAULTS: Qwen3Config = {
  ...DECODER_DEFAULTS,
  modelType: "qwen3",
  vocabSize: 151_936,
  hiddenSize: 4096,
  intermediateSize: 22016,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: 32,
  headDim: 128,
  hiddenAct: "silu",
  maxPositionEmbeddings: 32768,
  rmsNormEps: 1e-6,
  ropeParameters: PLAIN_ROPE,
  attentionBias: false,
  useSlidingWindow: false,
  slidingWindow: 4096,
  maxWindowLayers: 28,
  layerTypes: [],
};

/** Qwen 3 settings: those given over the defaults. */
export function qwen3Config(given: Given<Qwen3Config> = {}): Qwen3Config {
  const config = rotaryConfig("Qwen3Config", DEFAULTS, given);
  const { useSlidingWindow, maxWindowLayers } = config;
  const slides = (layer: number): boolean => useSlidingWindow && layer >= maxWindowLayers;
  return { ...config, layerTypes: layerTypes("Qwen3Config", config, slides) };
}

/** How checkpoints of Qwen 3 are read. */
export const qwen3Family: ModelFamily<Qwen3Config> = decoderFamily({
  name: "Qwen3Config",
  defaults: DEFAULTS,
  config: qwen3Config,
});
