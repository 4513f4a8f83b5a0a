import type { ModelFamily } from "../../model/family.ts";
import {
  decoderFamily,
  decoderRows,
  type Given,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  flag,
  nonNegative,
  positive,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";
import { layerTypes, layerTypesRow, type LayerType } from "../../parts/decoder/layer-types.ts";
import { requireCausal } from "../../parts/decoder/require-causal.ts";

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

/** What settings Gemmas 2 have. */
export const GEMMA2_SETTINGS: Settings<Gemma2Config> = defineRotarySettings<Gemma2Config>({
  name: "Gemma2Config",
  modelType: "gemma2",
  rows: {
    ...decoderRows({
      vocabSize: 256_000,
      hiddenSize: 2304,
      intermediateSize: 9216,
      numHiddenLayers: 26,
      numAttentionHeads: 8,
      maxPositionEmbeddings: 8192,
    }),
    numKeyValueHeads: width.orNull(4),
    headDim: width(256),
    hiddenActivation: activationName("gelu_pytorch_tanh"),
    rmsNormEps: nonNegative(1e-6),
    attentionBias: flag(false),
    queryPreAttnScalar: positive(256),
    slidingWindow: whole.orNull(4096),
    layerTypes: layerTypesRow,
    finalLogitSoftcapping: positive.orNull(30),
    attnLogitSoftcapping: positive.orNull(50),
    useBidirectionalAttention: flag.orNull(null),
    tieWordEmbeddings: flag(true),
    bosTokenId: token.orNull(2),
    eosTokenId: tokens.orNull(1),
    padTokenId: token.orNull(0),
  },
  // The first files have both; only the other two act.
  inert: ["hiddenAct", "slidingWindowSize"],
  complete: (config) => {
    const slides = (layer: number): boolean => layer % 2 === 0;
    requireCausal("Gemma2Config", config);
    return { ...config, layerTypes: layerTypes("Gemma2Config", config, slides) };
  },
});

/** Gemma 2 settings: those given over the defaults, which are those of the 2B model. */
export function gemma2Config(given: Given<Gemma2Config> = {}): Gemma2Config {
  return GEMMA2_SETTINGS.read(given);
}

/** How checkpoints of Gemma 2 are read. */
export const gemma2Family: ModelFamily<Gemma2Config> = decoderFamily(GEMMA2_SETTINGS);
