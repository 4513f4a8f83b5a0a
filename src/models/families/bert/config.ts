import type { ModelConfig } from "../../settings/config.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import { ABSOLUTE_POSITIONS, encoderRows } from "../../parts/encoder/rows.ts";
import type { EncoderLayerConfig } from "../../parts/encoder/self-attention.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PROBLEM_TYPES, type ProblemType } from "../../parts/heads.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import { activationName, count, flag, fraction, oneOf, token, whole, width } from "../../settings/kinds.ts"; // prettier-ignore

const ORIGINAL = "left over from the first BERTs; transformers does not read it";

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

const SETTINGS = defineSettings<BertConfig>({
  name: "BertConfig",
  modelType: "bert",
  rows: {
    ...encoderRows({
      hiddenSize: 768,
      intermediateSize: 3072,
      numAttentionHeads: 12,
      hiddenDropoutProb: 0.1,
    }),
    vocabSize: width(30522),
    numHiddenLayers: count(12),
    hiddenAct: activationName("gelu"),
    maxPositionEmbeddings: width(512),
    typeVocabSize: width(2),
    classifierDropout: fraction.orNull(null),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    problemType: oneOf([...PROBLEM_TYPES, null], null),
    padTokenId: token.orNull(0),
  },
  neutral: { positionEmbeddingType: ABSOLUTE_POSITIONS },
  inert: {
    directionality: ORIGINAL,
    poolerFcSize: ORIGINAL,
    poolerNumAttentionHeads: ORIGINAL,
    poolerNumFcLayers: ORIGINAL,
    poolerSizePerHead: ORIGINAL,
    poolerType: ORIGINAL,
  },
  numbered: [{ path: "encoder.layer", setting: "numHiddenLayers" }],
  shapes: () => ({
    "embeddings.word_embeddings.weight": ["vocabSize", "hiddenSize"],
    "embeddings.position_embeddings.weight": ["maxPositionEmbeddings", "hiddenSize"],
    "embeddings.token_type_embeddings.weight": ["typeVocabSize", "hiddenSize"],
    "encoder.layer.0.intermediate.dense.weight": ["intermediateSize", "hiddenSize"],
  }),
  complete: (config) => {
    requireHeads("BertConfig", config);
    return config;
  },
});

/**
 * BERT settings: those given over the defaults, which are BERT base's.
 * @throws ModelError for settings that cannot be.
 */
export function bertConfig(given: Partial<BertConfig> = {}): BertConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of BERT are read. */
export const bertFamily: ModelFamily<BertConfig> = {
  modelType: "bert",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
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
