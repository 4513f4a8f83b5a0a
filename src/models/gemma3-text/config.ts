import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  type DecoderConfig,
  decoderConfig,
  decoderFamily,
} from "../decoder/config.ts";
import { layerTypes, type LayerType } from "../decoder/layer-types.ts";
import { type GivenRope, type RopeParameters, ropeParameters } from "../decoder/rope-parameters.ts";
import { requireCausal } from "../gemma/config.ts";

/** Settings of a Gemma 3 (text), with Hugging Face's meanings and defaults. */
export interface Gemma3TextConfig extends DecoderConfig {
  readonly hiddenActivation: string;
  readonly headDim: number;
  readonly rmsNormEps: number;
  /** Rotary embeddings of each type of layer. */
  readonly ropeParameters: {
    readonly fullAttention: RopeParameters;
    readonly slidingAttention: RopeParameters;
  };
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Attention scores are divided by the square root of this. */
  readonly queryPreAttnScalar: number;
  /** How many tokens each one sees in layers with a sliding window, itself included. */
  readonly slidingWindow: number | null;
  /** What each layer sees; every sixth sees all, if it is not given. */
  readonly layerTypes: readonly LayerType[];
  /** Logits are squeezed smoothly between plus and minus this. */
  readonly finalLogitSoftcapping: number | null;
  /** The same for attention scores. */
  readonly attnLogitSoftcapping: number | null;
  /** Let tokens see those after them; only false is known here. */
  readonly useBidirectionalAttention: boolean | null;
}

const DEFAULTS: Gemma3TextConfig = {
  ...DECODER_DEFAULTS,
  modelType: "gemma3_text",
  vocabSize: 262_208,
  hiddenSize: 2304,
  intermediateSize: 9216,
  numHiddenLayers: 26,
  numAttentionHeads: 8,
  numKeyValueHeads: 4,
  headDim: 256,
  hiddenActivation: "gelu_pytorch_tanh",
  maxPositionEmbeddings: 131_072,
  rmsNormEps: 1e-6,
  ropeParameters: {
    fullAttention: { ropeType: "default", ropeTheta: 1_000_000 },
    slidingAttention: { ropeType: "default", ropeTheta: 10_000 },
  },
  attentionBias: false,
  queryPreAttnScalar: 256,
  slidingWindow: 4096,
  layerTypes: [],
  finalLogitSoftcapping: null,
  attnLogitSoftcapping: null,
  useBidirectionalAttention: false,
  tieWordEmbeddings: true,
  bosTokenId: 2,
  eosTokenId: 1,
  padTokenId: 0,
};

/** Settings as they may be given: in part, or under the names of transformers 4. */
export type GivenGemma3 = {
  readonly [K in keyof Gemma3TextConfig]?: K extends "ropeParameters"
    ? unknown
    : Gemma3TextConfig[K];
} & {
  /** Rotary embeddings of layers that see all. */
  readonly ropeTheta?: number;
  readonly ropeScaling?: GivenRope;
  /** Base of the wavelengths of layers with a sliding window. */
  readonly ropeLocalBaseFreq?: number;
  /** Of this many layers, the last one sees all. */
  readonly slidingWindowPattern?: number;
};

/** Gemma 3 settings: those given over the defaults. */
export function gemma3TextConfig(given: GivenGemma3 = {}): Gemma3TextConfig {
  const { ropeTheta, ropeScaling, ropeLocalBaseFreq, slidingWindowPattern = 6, ...rest } = given;
  const { fullAttention, slidingAttention } = DEFAULTS.ropeParameters;
  const rope = (rest.ropeParameters ?? {}) as {
    readonly [K in keyof Gemma3TextConfig["ropeParameters"]]?: Partial<RopeParameters>;
  };
  const full = { ...rope.fullAttention, ...(ropeScaling as Partial<RopeParameters> | null) };
  const config = decoderConfig("Gemma3TextConfig", DEFAULTS, {
    ...(rest as Partial<Gemma3TextConfig>),
    ropeParameters: {
      fullAttention: ropeParameters("Gemma3TextConfig", full, {
        ropeTheta: ropeTheta ?? fullAttention.ropeTheta,
      }),
      slidingAttention: ropeParameters("Gemma3TextConfig", rope.slidingAttention, {
        ropeTheta: ropeLocalBaseFreq ?? slidingAttention.ropeTheta,
      }),
    },
  });
  requireCausal("Gemma3TextConfig", config);
  const slides = (layer: number): boolean => (layer + 1) % slidingWindowPattern !== 0;
  return { ...config, layerTypes: layerTypes("Gemma3TextConfig", config, slides) };
}

/** How checkpoints of Gemma 3 (text) are read. */
export const gemma3TextFamily: ModelFamily<Gemma3TextConfig> = decoderFamily({
  name: "Gemma3TextConfig",
  defaults: DEFAULTS,
  config: gemma3TextConfig,
});
