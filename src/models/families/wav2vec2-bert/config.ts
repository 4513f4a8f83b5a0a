import { fail } from "../../../nn/errors.ts";
import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import type { AudioClassifierConfig } from "../../parts/audio/classifier.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import { type AttentionPart, attentionParts } from "../../parts/layer-components.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  natural,
  nonNegative,
  oneOf,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Wav2Vec2-BERT, with Hugging Face's meanings and defaults. */
export interface Wav2Vec2BertConfig extends AudioClassifierConfig {
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Heads of each attention. */
  readonly numAttentionHeads: number;
  /** Width inside the MLPs. */
  readonly intermediateSize: number;
  /** Features of each frame. */
  readonly featureProjectionInputDim: number;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Share of each sublayer's output that is dropped in training mode. */
  readonly hiddenDropout: number;
  /** Share of the MLP's inner activations that are dropped in training mode. */
  readonly activationDropout: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionDropout: number;
  /** Share of the projected features that are dropped in training mode. */
  readonly featProjDropout: number;
  /** Share of the convolution's outputs that are dropped in training mode. */
  readonly conformerConvDropout: number;
  /** Standard deviation of weights that no checkpoint gives. */
  readonly initializerRange: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEps: number;
  /** Share of frames that are masked in training; above 0 there is a vector for these. */
  readonly maskTimeProb: number;
  /** Share of features that are masked in training. */
  readonly maskFeatureProb: number;
  /** How attention knows of distances; null for not at all. Only `relative_key` is there. */
  readonly positionEmbeddingsType: string | null;
  /** Distances to the left that are told apart. */
  readonly leftMaxPositionEmbeddings: number;
  /** Positions to the right that relative positions tell apart. */
  readonly rightMaxPositionEmbeddings: number;
  /** Frames that the convolution of each layer sees, itself and those before. */
  readonly convDepthwiseKernelSize: number;
  /** Convolutions after the layers that make the sequence shorter; not there yet. */
  readonly addAdapter: boolean;
  /** An MLP after the layers. */
  readonly useIntermediateFfnBeforeAdapter: boolean;
}

const FRAMES = "frames are not masked in training here";
const CTC = "for a model that writes letters, which is not there";
const VECTORS = "for a model that tells voices apart, which is not there";
const ADAPTER = "for an adapter, which is not there";
const POSITIONS = "for other kinds of positions, which are not there";

const SETTINGS = defineSettings<Wav2Vec2BertConfig>({
  name: "Wav2Vec2BertConfig",
  modelType: "wav2vec2-bert",
  rows: {
    hiddenSize: width(1024),
    numHiddenLayers: count(24),
    numAttentionHeads: width(16),
    intermediateSize: width(4096),
    featureProjectionInputDim: width(160),
    hiddenAct: activationName("swish"),
    hiddenDropout: fraction(0),
    activationDropout: fraction(0),
    attentionDropout: fraction(0),
    featProjDropout: fraction(0),
    conformerConvDropout: fraction(0.1),
    initializerRange: nonNegative(0.02),
    layerNormEps: nonNegative(1e-5),
    maskTimeProb: fraction(0.05),
    maskFeatureProb: fraction(0),
    positionEmbeddingsType: oneOf(["relative_key", null], "relative_key"),
    leftMaxPositionEmbeddings: natural(64),
    rightMaxPositionEmbeddings: natural(8),
    convDepthwiseKernelSize: width(31),
    addAdapter: flag(false),
    useIntermediateFfnBeforeAdapter: flag(false),
    numLabels: whole(2),
    classifierProjSize: width(768),
    useWeightedLayerSum: flag(false),
    padTokenId: token.orNull(0),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
  },
  inert: {
    vocabSize: CTC,
    finalDropout: CTC,
    ctcLossReduction: CTC,
    ctcZeroInfinity: CTC,
    layerdrop: "layers are not left out in training here",
    applySpecAugment: FRAMES,
    maskTimeLength: FRAMES,
    maskTimeMinMasks: FRAMES,
    maskFeatureLength: FRAMES,
    maskFeatureMinMasks: FRAMES,
    tdnnDim: VECTORS,
    tdnnKernel: VECTORS,
    tdnnDilation: VECTORS,
    xvectorOutputDim: VECTORS,
    adapterKernelSize: ADAPTER,
    adapterStride: ADAPTER,
    numAdapterLayers: ADAPTER,
    adapterAct: ADAPTER,
    outputHiddenSize: ADAPTER,
    rotaryEmbeddingBase: POSITIONS,
    maxSourcePositions: POSITIONS,
  },
  numbered: [{ path: "encoder.layers", setting: "numHiddenLayers" }],
  shapes: (config) => {
    const { leftMaxPositionEmbeddings: left, rightMaxPositionEmbeddings: right } = config;
    const distances = "leftMaxPositionEmbeddings + rightMaxPositionEmbeddings + 1";
    return {
      "feature_projection.projection.weight": ["hiddenSize", "featureProjectionInputDim"],
      "encoder.layers.0.ffn1.intermediate_dense.weight": ["intermediateSize", "hiddenSize"],
      "encoder.layers.0.self_attn.distance_embedding.weight": [
        [distances, left + right + 1],
        ["hiddenSize / numAttentionHeads", config.hiddenSize / config.numAttentionHeads],
      ],
      "encoder.layers.0.conv_module.depthwise_conv.weight": [
        "hiddenSize",
        ["1", 1],
        "convDepthwiseKernelSize",
      ],
    };
  },
  complete: (config) => {
    requireHeads("Wav2Vec2BertConfig", config);
    const { convDepthwiseKernelSize: kernel, addAdapter } = config;
    if (kernel % 2 === 0) {
      fail("Wav2Vec2BertConfig", `convDepthwiseKernelSize must be odd, got ${kernel}`);
    }
    if (addAdapter) {
      fail("Wav2Vec2BertConfig", "models with an adapter (addAdapter) are not known");
    }
    return config;
  },
});

/**
 * Wav2Vec2-BERT settings: those given over the defaults.
 * @throws ModelError for settings that cannot be, and for parts that are not there: adapters, and
 * positions other than relative keys.
 */
export function wav2Vec2BertConfig(given: Partial<Wav2Vec2BertConfig> = {}): Wav2Vec2BertConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of Wav2Vec2-BERTs are read. */
export const wav2Vec2BertFamily: ModelFamily<Wav2Vec2BertConfig> = declareFamily(SETTINGS, {
  basePrefix: "wav2vec2_bert",
});

/**
 * Components of a Wav2Vec2-BERT's layers. Those of the inner convolutions, `conv_glu_output` and
 * `conv_depth_output`, are [batch, width, frames].
 */
export type Wav2Vec2BertComponent =
  | AttentionPart
  | `ffn${1 | 2}_${"activation" | "output" | "addition" | "input"}`
  | "conv_output"
  | "conv_addition"
  | "conv_input"
  | "conv_glu_output"
  | "conv_depth_output";

type Spec = ComponentSpec<Wav2Vec2BertConfig>;

const at = (path: string, side: "input" | "output"): Spec => ({
  path: `encoder.layers.{layer}${path}`,
  side,
  dimension: ({ hiddenSize }) => hiddenSize,
});

const activationOf = (ffn: string): Spec => ({
  ...at(`.${ffn}.intermediate_act_fn`, "output"),
  dimension: ({ intermediateSize }) => intermediateSize,
});

// Its last dimension is the frames.
const inConvolution = (path: string): Spec => ({
  ...at(`.conv_module${path}`, "output"),
  dimension: () => undefined,
});

const ATTENTION = {
  input: ".self_attn",
  output: ".self_attn",
  addition: ".self_attn_dropout",
  mixed: ".self_attn.linear_out",
  weight: ".self_attn.dropout",
  query: ".self_attn.linear_q",
  key: ".self_attn.linear_k",
  value: ".self_attn.linear_v",
};

/** Where the components of a Wav2Vec2-BERT are, within the model without a head. */
export const wav2Vec2BertCard: ModelCard<Wav2Vec2BertConfig, Wav2Vec2BertComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts("encoder.layers.{layer}", ATTENTION, {
      width: ({ hiddenSize }) => hiddenSize,
      heads: ({ numAttentionHeads }) => numAttentionHeads,
    }),
    ffn1_activation: activationOf("ffn1"),
    ffn1_output: at(".ffn1", "output"),
    ffn1_addition: at(".ffn1_addition", "output"),
    ffn1_input: at(".ffn1", "input"),
    ffn2_activation: activationOf("ffn2"),
    ffn2_output: at(".ffn2", "output"),
    ffn2_addition: at(".ffn2_addition", "output"),
    ffn2_input: at(".ffn2", "input"),
    conv_output: at(".conv_module", "output"),
    conv_addition: at(".conv_module", "output"),
    conv_input: at(".conv_module", "input"),
    conv_glu_output: inConvolution(".glu"),
    conv_depth_output: inConvolution(".depthwise_conv"),
  },
};
