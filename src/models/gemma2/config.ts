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
import { requireCausal } from "../gemma/config.ts";

/** Settings of a Gemma 2, with Hugging Face's meanings and defaults. */
export interface Gemma2Config extends RotaryConfig {
  readonly hiddenActivation: string;
  readonly headDim: number;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Attention scores are divided by the square root of this. */
  readonly queryPreAttnScalar: number;
  /** How many tokens each one sees in layers with a sliding window, itself included. */
  readonly slidingWindow: number | null;
  /** What each layer sees. */
  readonly layerTypes: readonly LayerType[];
  /** Logits are squeezed smoothly between plus and minus this. */
  readonly finalLogitSoftcapping: number | null;
  /** The same for attention scores. */
  readonly attnLogitSoftcapping: number | null;
  /** Let tokens see those after them; only false is known here. */
  readonly useBidirectionalAttention: boolean | null;
}

const DEFAULTS: Gemma2Config = {
  ...DECODER_DEFAULTS,
  modelType: "gemma2",
  vocabSize: 256_000,
  hiddenSize: 2304,
  intermediateSize: 9216,
  numHiddenLayers: 26,
  numAttentionHeads: 8,
  numKeyValueHeads: 4,
  headDim: 256,
  hiddenActivation: "gelu_pytorch_tanh",
  maxPositionEmbeddings: 8192,
  rmsNormEps: 1e-6,
  ropeParameters: PLAIN_ROPE,
  attentionBias: false,
  queryPreAttnScalar: 256,
  slidingWindow: 4096,
  layerTypes: [],
  finalLogitSoftcapping: 30,
  attnLogitSoftcapping: 50,
  useBidirectionalAttention: null,
  tieWordEmbeddings: true,
  bosTokenId: 2,
  eosTokenId: 1,
  padTokenId: 0,
};

/** Gemma 2 settings: those given over the defaults, which are those of the 2B model. */
export function gemma2Config(given: Given<Gemma2Config> = {}): Gemma2Config {
  const config = rotaryConfig("Gemma2Config", DEFAULTS, given);
  requireCausal("Gemma2Config", config);
  const slides = (layer: number): boolean => layer % 2 === 0;
  return { ...config, layerTypes: layerTypes("Gemma2Config", config, slides) };
}

/** How checkpoints of Gemma 2 are read. */
export const gemma2Family: ModelFamily<Gemma2Config> = decoderFamily({
  name: "Gemma2Config",
  defaults: DEFAULTS,
  config: gemma2Config,
});
