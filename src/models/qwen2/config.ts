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

/** Settings of a Qwen 2, with Hugging Face's meanings and defaults. */
export interface Qwen2Config extends RotaryConfig {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Whether there are layers with a sliding window at all. */
  readonly useSlidingWindow: boolean;
  /** How many tokens each one sees in such layers, itself included. */
  readonly slidingWindow: number | null;
  /** The first layer with a sliding window, unless `layerTypes` says it. */
  readonly maxWindowLayers: number;
  /** What each layer sees. */
  readonly layerTypes: readonly LayerType[];
}

const DEFAULTS: Qwen2Config = {
  ...DECODER_DEFAULTS,
  modelType: "qwen2",
  vocabSize: 151_936,
  hiddenSize: 4096,
  intermediateSize: 22016,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: 32,
  hiddenAct: "silu",
  maxPositionEmbeddings: 32768,
  rmsNormEps: 1e-6,
  ropeParameters: PLAIN_ROPE,
  useSlidingWindow: false,
  slidingWindow: 4096,
  maxWindowLayers: 28,
  layerTypes: [],
};

/** Qwen 2 settings: those given over the defaults. */
export function qwen2Config(given: Given<Qwen2Config> = {}): Qwen2Config {
  const config = rotaryConfig("Qwen2Config", DEFAULTS, given);
  const { useSlidingWindow, maxWindowLayers } = config;
  const slides = (layer: number): boolean => useSlidingWindow && layer >= maxWindowLayers;
  return { ...config, layerTypes: layerTypes("Qwen2Config", config, slides) };
}

/** How checkpoints of Qwen 2 are read. */
export const qwen2Family: ModelFamily<Qwen2Config> = decoderFamily({
  name: "Qwen2Config",
  defaults: DEFAULTS,
  config: qwen2Config,
});
