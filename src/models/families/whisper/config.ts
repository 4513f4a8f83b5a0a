import { attentionWeights, type ComponentSpec, type ModelCard, partOf } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import type { AudioClassifierConfig } from "../../parts/audio/classifier.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import {
  attentionParts,
  type LayerPart,
  mlpParts,
  prefixedParts,
  SELF_ATTENTION,
} from "../../parts/layer-components.ts";
import type { Seq2SeqConfig } from "../../parts/seq2seq/seq2seq-language-model.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  nonNegative,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Whisper, with Hugging Face's meanings and defaults. */
export interface WhisperConfig extends Seq2SeqConfig, AudioClassifierConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Frequencies of the spectrogram. */
  readonly numMelBins: number;
  /** Width of the residual streams. */
  readonly dModel: number;
  /** Layers of the encoder. */
  readonly encoderLayers: number;
  /** Heads of each attention of the encoder. */
  readonly encoderAttentionHeads: number;
  /** Width of the inner layer of the encoder's MLPs. */
  readonly encoderFfnDim: number;
  /** Layers of the decoder. */
  readonly decoderLayers: number;
  /** Heads of each attention of the decoder. */
  readonly decoderAttentionHeads: number;
  /** Width of the inner layer of the decoder's MLPs. */
  readonly decoderFfnDim: number;
  /** Name of the activation in the MLP, such as "gelu_new". */
  readonly activationFunction: string;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly dropout: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionDropout: number;
  /** Share of the MLP's inner activations that are dropped in training mode. */
  readonly activationDropout: number;
  /** Standard deviation of weights at the start. */
  readonly initStd: number;
  /** Positions of the encoder: spectrograms have twice as many frames. */
  readonly maxSourcePositions: number;
  /** Longest text of the decoder. */
  readonly maxTargetPositions: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

const SPECTRUM = "spectrograms are not masked in training here";
const LAYER_DROP = "layers are not left out in training here";

const SETTINGS = defineSettings<WhisperConfig>({
  name: "WhisperConfig",
  modelType: "whisper",
  rows: {
    vocabSize: width(51865),
    numMelBins: width(80),
    dModel: width(384, { names: ["hiddenSize"] }),
    encoderLayers: count(4, { names: ["numHiddenLayers"] }),
    encoderAttentionHeads: width(6, { names: ["numAttentionHeads", "numKeyValueHeads"] }),
    encoderFfnDim: width(1536),
    decoderLayers: count(4),
    decoderAttentionHeads: width(6),
    decoderFfnDim: width(1536),
    decoderStartTokenId: token.orNull(50257),
    activationFunction: activationName("gelu"),
    dropout: fraction(0),
    attentionDropout: fraction(0),
    activationDropout: fraction(0),
    initStd: nonNegative(0.02),
    maxSourcePositions: width(1500),
    maxTargetPositions: width(448),
    padTokenId: token.orNull(50256),
    bosTokenId: token.orNull(50256),
    eosTokenId: tokens.orNull(50256),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    classifierProjSize: width(256),
    useWeightedLayerSum: flag(false),
  },
  neutral: {
    isEncoderDecoder: { values: [true, null], why: "the model would have one half only" },
  },
  inert: {
    encoderLayerdrop: LAYER_DROP,
    decoderLayerdrop: LAYER_DROP,
    scaleEmbedding: "embeddings are not scaled, as in transformers",
    applySpecAugment: SPECTRUM,
    maskTimeProb: SPECTRUM,
    maskTimeLength: SPECTRUM,
    maskTimeMinMasks: SPECTRUM,
    maskFeatureProb: SPECTRUM,
    maskFeatureLength: SPECTRUM,
    maskFeatureMinMasks: SPECTRUM,
    medianFilterWidth: "for times of words, which are not given here",
  },
  numbered: [
    { path: "encoder.layers", setting: "encoderLayers" },
    { path: "decoder.layers", setting: "decoderLayers" },
  ],
  shapes: () => ({
    "encoder.conv1.weight": ["dModel", "numMelBins", ["3", 3]],
    "encoder.embed_positions.weight": ["maxSourcePositions", "dModel"],
    "encoder.layers.0.fc1.weight": ["encoderFfnDim", "dModel"],
    "decoder.embed_tokens.weight": ["vocabSize", "dModel"],
    "decoder.embed_positions.weight": ["maxTargetPositions", "dModel"],
    "decoder.layers.0.fc1.weight": ["decoderFfnDim", "dModel"],
  }),
  complete: (config) => {
    const { dModel: hiddenSize, encoderAttentionHeads, decoderAttentionHeads } = config;
    for (const numAttentionHeads of [encoderAttentionHeads, decoderAttentionHeads]) {
      requireHeads("WhisperConfig", { hiddenSize, numAttentionHeads });
    }
    return config;
  },
});

/**
 * Whisper settings: those given over the defaults, which are Whisper-tiny's.
 * @throws ModelError for settings that cannot be.
 */
export function whisperConfig(given: Partial<WhisperConfig> = {}): WhisperConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of Whispers are read. */
export const whisperFamily: ModelFamily<WhisperConfig> = declareFamily(SETTINGS, {
  basePrefix: "model",
});

/** Components of the attention to the encoder's states. */
type CrossPart =
  | "cross_attention_value_output"
  | "head_cross_attention_value_output"
  | "cross_attention_weight"
  | "cross_attention_output"
  | "cross_attention_addition"
  | "cross_attention_input";

/** Components of a Whisper's layers; those without `decoder.` are the encoder's. */
export type WhisperComponent =
  LayerPart | `encoder.${LayerPart}` | `decoder.${LayerPart | CrossPart}`;

/** Those of the encoder. */
export type WhisperEncoderComponent = LayerPart | `encoder.${LayerPart}`;

type Spec = ComponentSpec<WhisperConfig>;
type Tower = "encoder" | "decoder";

const at = (path: string, side: "input" | "output"): Spec => ({
  path,
  side,
  dimension: ({ dModel }) => dModel,
});

const headsOf = (config: WhisperConfig, tower: Tower): number =>
  tower === "encoder" ? config.encoderAttentionHeads : config.decoderAttentionHeads;

const MLP = {
  input: ".fc1",
  output: ".fc2",
  addition: ".mlp_addition",
  activation: ".activation_fn",
};
const ATTENTION = { ...SELF_ATTENTION, addition: ".attention_addition" };

function componentsOf(tower: Tower): { readonly [K in LayerPart]: Spec } {
  const layer = `${tower}.layers.{layer}`;
  const sizes = {
    width: ({ dModel }: WhisperConfig) => dModel,
    inner: (c: WhisperConfig) => (tower === "encoder" ? c.encoderFfnDim : c.decoderFfnDim),
    heads: (config: WhisperConfig) => headsOf(config, tower),
  };
  return { ...attentionParts(layer, ATTENTION, sizes), ...mlpParts(layer, MLP, sizes) };
}

const crossMixed = at("decoder.layers.{layer}.encoder_attn.out_proj", "input");

const CROSS: Record<CrossPart, Spec> = {
  cross_attention_value_output: crossMixed,
  head_cross_attention_value_output: {
    ...crossMixed,
    heads: ({ decoderAttentionHeads }) => decoderAttentionHeads,
    dimension: ({ dModel, decoderAttentionHeads }) => dModel / decoderAttentionHeads,
  },
  cross_attention_weight: attentionWeights("decoder.layers.{layer}.encoder_attn.dropout", "other"),
  cross_attention_addition: at("decoder.layers.{layer}.cross_attention_addition", "output"),
  cross_attention_output: at("decoder.layers.{layer}.encoder_attn", "output"),
  cross_attention_input: at("decoder.layers.{layer}.encoder_attn", "input"),
};

/** Where the components of a Whisper are, within the model without a head. */
export const whisperCard: ModelCard<WhisperConfig, WhisperComponent> = {
  layers: ({ encoderLayers, decoderLayers }) => Math.max(encoderLayers, decoderLayers),
  // Frames of sound, of which there is no mask.
  counts: {
    "": "target",
    encoder: "other",
    "decoder.layers.{layer}.encoder_attn.k_proj": "other",
    "decoder.layers.{layer}.encoder_attn.v_proj": "other",
  },
  components: {
    ...componentsOf("encoder"),
    ...prefixedParts("encoder", componentsOf("encoder")),
    ...prefixedParts("decoder", { ...componentsOf("decoder"), ...CROSS }),
  },
};

/** Where the components of a Whisper are that has no decoder. */
export const whisperEncoderCard: ModelCard<WhisperConfig, WhisperEncoderComponent> = {
  ...partOf<WhisperEncoderComponent, WhisperConfig>("encoder", whisperCard),
  layers: ({ encoderLayers }) => encoderLayers,
};
