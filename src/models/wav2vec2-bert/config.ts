import type { AudioClassifierConfig } from "../audio/classifier.ts";
import { checkedFields, requirePositive, withDefaults } from "../config.ts";
import { requireOneOf } from "../../tensor/known-options.ts";
import { requireHeads } from "../encoder/require-heads.ts";
import type { ModelFamily } from "../family.ts";
import { TensorError } from "../../tensor/errors.ts";

/** Settings of a Wav2Vec2-BERT, with Hugging Face's meanings and defaults. */
export interface Wav2Vec2BertConfig extends AudioClassifierConfig {
  readonly hiddenSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** Width inside the MLPs. */
  readonly intermediateSize: number;
  /** Features of each frame. */
  readonly featureProjectionInputDim: number;
  readonly hiddenAct: string;
  readonly hiddenDropout: number;
  readonly activationDropout: number;
  readonly attentionDropout: number;
  readonly featProjDropout: number;
  readonly conformerConvDropout: number;
  readonly initializerRange: number;
  readonly layerNormEps: number;
  /** Share of frames that are masked in training; above 0 there is a vector for these. */
  readonly maskTimeProb: number;
  readonly maskFeatureProb: number;
  /** How attention knows of distances; null for not at all. Only `relative_key` is there. */
  readonly positionEmbeddingsType: string | null;
  /** Distances to the left that are told apart. */
  readonly leftMaxPositionEmbeddings: number;
  readonly rightMaxPositionEmbeddings: number;
  /** Frames that the convolution of each layer sees, itself and those before. */
  readonly convDepthwiseKernelSize: number;
  /** Convolutions behind the layers that make the sequence shorter; not there yet. */
  readonly addAdapter: boolean;
  /** An MLP behind the layers. */
  readonly useIntermediateFfnBeforeAdapter: boolean;
}

const DEFAULTS: Wav2Vec2BertConfig = {
  modelType: "wav2vec2-bert",
  hiddenSize: 1024,
  numHiddenLayers: 24,
  numAttentionHeads: 16,
  intermediateSize: 4096,
  featureProjectionInputDim: 160,
  hiddenAct: "swish",
  hiddenDropout: 0,
  activationDropout: 0,
  attentionDropout: 0,
  featProjDropout: 0,
  conformerConvDropout: 0.1,
  initializerRange: 0.02,
  layerNormEps: 1e-5,
  maskTimeProb: 0.05,
  maskFeatureProb: 0,
  positionEmbeddingsType: "relative_key",
  leftMaxPositionEmbeddings: 64,
  rightMaxPositionEmbeddings: 8,
  convDepthwiseKernelSize: 31,
  addAdapter: false,
  useIntermediateFfnBeforeAdapter: false,
  numLabels: 2,
  classifierProjSize: 768,
  useWeightedLayerSum: false,
  padTokenId: 0,
  bosTokenId: 1,
  eosTokenId: 2,
};

/**
 * Wav2Vec2-BERT settings: those given over the defaults.
 * @throws TensorError for sizes that cannot be, and for parts that are not there: adapters, and
 * positions other than relative keys.
 */
export function wav2Vec2BertConfig(given: Partial<Wav2Vec2BertConfig> = {}): Wav2Vec2BertConfig {
  const config = withDefaults(DEFAULTS, given);
  const { hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize } = config;
  const { featureProjectionInputDim, convDepthwiseKernelSize, positionEmbeddingsType } = config;
  const sizes = { hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize };
  const { classifierProjSize, numLabels } = config;
  const head = { classifierProjSize, numLabels };
  const rest = { featureProjectionInputDim, convDepthwiseKernelSize, ...head };
  requirePositive("Wav2Vec2BertConfig", { ...sizes, ...rest });
  requireHeads("Wav2Vec2BertConfig", config);
  if (convDepthwiseKernelSize % 2 === 0) {
    throw new TensorError(
      `Wav2Vec2BertConfig: convDepthwiseKernelSize must be odd, got ${convDepthwiseKernelSize}`,
    );
  }
  if (positionEmbeddingsType !== null) {
    requireOneOf("Wav2Vec2BertConfig", "positionEmbeddingsType", positionEmbeddingsType, [
      "relative_key",
    ]);
  }
  if (config.addAdapter) {
    throw new TensorError("Wav2Vec2BertConfig: models with an adapter (addAdapter) are not known");
  }
  return config;
}

/** How checkpoints of Wav2Vec2-BERTs are read. */
export const wav2Vec2BertFamily: ModelFamily<Wav2Vec2BertConfig> = {
  modelType: "wav2vec2-bert",
  readConfig: (fields) => wav2Vec2BertConfig(checkedFields("Wav2Vec2BertConfig", DEFAULTS, fields)),
  basePrefix: "wav2vec2_bert",
};
