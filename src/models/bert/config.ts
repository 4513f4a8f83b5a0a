import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import { requireHeads } from "../encoder/require-heads.ts";
import type { EncoderLayerConfig } from "../encoder/self-attention.ts";
import type { ModelFamily } from "../family.ts";
import type { ProblemType } from "../heads.ts";

/** Settings of a BERT, with Hugging Face's meanings and defaults. */
export interface BertConfig extends ModelConfig, EncoderLayerConfig {
  readonly vocabSize: number;
  readonly numHiddenLayers: number;
  readonly hiddenAct: string;
  /** Longest sequence. */
  readonly maxPositionEmbeddings: number;
  /** Kinds of tokens, such as those of a first and of a second sentence. */
  readonly typeVocabSize: number;
  /** Of the classifier; null stands for hiddenDropoutProb. */
  readonly classifierDropout: number | null;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
  readonly problemType: ProblemType | null;
}

const DEFAULTS: BertConfig = {
  modelType: "bert",
  vocabSize: 30522,
  hiddenSize: 768,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  intermediateSize: 3072,
  hiddenAct: "gelu",
  hiddenDropoutProb: 0.1,
  attentionProbsDropoutProb: 0.1,
  maxPositionEmbeddings: 512,
  typeVocabSize: 2,
  initializerRange: 0.02,
  layerNormEps: 1e-12,
  classifierDropout: null,
  tieWordEmbeddings: true,
  numLabels: 2,
  problemType: null,
  padTokenId: 0,
};

/**
 * BERT settings: those given over the defaults, which are BERT base's.
 * @throws TensorError for sizes that cannot be.
 */
export function bertConfig(given: Partial<BertConfig> = {}): BertConfig {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize } = config;
  requirePositive("BertConfig", {
    vocabSize,
    hiddenSize,
    numHiddenLayers,
    numAttentionHeads,
    intermediateSize,
    maxPositionEmbeddings: config.maxPositionEmbeddings,
    typeVocabSize: config.typeVocabSize,
  });
  requireHeads("BertConfig", config);
  return config;
}

/** How checkpoints of BERT are read. */
export const bertFamily: ModelFamily<BertConfig> = {
  modelType: "bert",
  readConfig: (fields) => bertConfig(checkedFields("BertConfig", DEFAULTS, fields)),
  basePrefix: "bert",
  parts: (names) => ({ pooler: names.some((name) => /(?:^|\.)pooler\./.test(name)) }),
  // As the first checkpoints call them.
  renamed: [
    [/LayerNorm\.gamma$/, "LayerNorm.weight"],
    [/LayerNorm\.beta$/, "LayerNorm.bias"],
  ],
  ignored: [/(?:^|\.)embeddings\.position_ids$/],
};

/** Of models that need neither the pooled first token nor the guess of the next sentence. */
export const unpooledBertFamily: ModelFamily<BertConfig> = {
  ...bertFamily,
  ignored: [...(bertFamily.ignored ?? []), /^bert\.pooler\./, /^cls\.seq_relationship\./],
};
