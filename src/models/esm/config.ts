import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import { requireOneOf } from "../../tensor/known-options.ts";
import { requireHeads } from "../encoder/require-heads.ts";
import type { EncoderLayerConfig } from "../encoder/self-attention.ts";
import type { ModelFamily } from "../family.ts";
import type { ProblemType } from "../heads.ts";

/** Settings of an ESM, with Hugging Face's meanings and defaults. */
export interface EsmConfig extends ModelConfig, EncoderLayerConfig {
  readonly vocabSize: number;
  /** The token that stands for what is to be filled in; null for none. */
  readonly maskTokenId: number | null;
  readonly padTokenId: number | null;
  readonly numHiddenLayers: number;
  readonly maxPositionEmbeddings: number;
  /** How tokens know where they are: "absolute" or "rotary". */
  readonly positionEmbeddingType: string;
  readonly ropeTheta: number;
  /** Whether embeddings pass a norm; null stands for no. */
  readonly embLayerNormBefore: boolean | null;
  /** Scale embeddings by how many tokens are masked, as if they had been dropped at random. */
  readonly tokenDropout: boolean;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
  readonly problemType: ProblemType | null;
}

const DEFAULTS: EsmConfig = {
  modelType: "esm",
  vocabSize: 33,
  maskTokenId: null,
  padTokenId: 1,
  eosTokenId: 2,
  hiddenSize: 768,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  intermediateSize: 3072,
  hiddenDropoutProb: 0.1,
  attentionProbsDropoutProb: 0.1,
  maxPositionEmbeddings: 1026,
  positionEmbeddingType: "absolute",
  ropeTheta: 10000,
  initializerRange: 0.02,
  layerNormEps: 1e-12,
  embLayerNormBefore: null,
  tokenDropout: false,
  tieWordEmbeddings: true,
  numLabels: 2,
  problemType: null,
};

/**
 * ESM settings: those given over the defaults, which are Hugging Face's.
 * @throws TensorError for sizes that cannot be.
 */
export function esmConfig(given: Partial<EsmConfig> = {}): EsmConfig {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize } = config;
  requirePositive("EsmConfig", {
    vocabSize,
    hiddenSize,
    numHiddenLayers,
    numAttentionHeads,
    intermediateSize,
    maxPositionEmbeddings: config.maxPositionEmbeddings,
  });
  const { positionEmbeddingType } = config;
  requireOneOf("EsmConfig", "positionEmbeddingType", positionEmbeddingType, ["absolute", "rotary"]);
  requireHeads("EsmConfig", config);
  return config;
}

/** How checkpoints of ESM are read. */
export const esmFamily: ModelFamily<EsmConfig> = {
  modelType: "esm",
  readConfig: (fields) => esmConfig(checkedFields("EsmConfig", DEFAULTS, fields)),
  basePrefix: "esm",
  renamed: [
    [/LayerNorm\.gamma$/, "LayerNorm.weight"],
    [/LayerNorm\.beta$/, "LayerNorm.bias"],
  ],
  // Frequencies and positions follow from the settings; rotary models have tables left over.
  ignored: [
    /rotary_embeddings\.inv_freq$/,
    /embeddings\.position_ids$/,
    /position_embeddings\.weight$/,
    /^esm\.pooler\./,
  ],
};
