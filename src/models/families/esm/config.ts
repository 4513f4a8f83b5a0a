import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import { encoderRows } from "../../parts/encoder/rows.ts";
import type { EncoderLayerConfig } from "../../parts/encoder/self-attention.ts";
import { PROBLEM_TYPES, type ProblemType } from "../../parts/heads.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import { count, flag, oneOf, positive, token, tokens, whole, width } from "../../settings/kinds.ts";

/** Settings of an ESM, with Hugging Face's meanings and defaults. */
export interface EsmConfig extends ModelConfig, EncoderLayerConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** The token that is to be replaced; null for none. */
  readonly maskTokenId: number | null;
  /** Id of the padding token. */
  readonly padTokenId: number | null;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Longest text that positions are there for. */
  readonly maxPositionEmbeddings: number;
  /** How tokens know where they are: "absolute" or "rotary". */
  readonly positionEmbeddingType: string;
  /** Base of the wavelengths of rotary embeddings. */
  readonly ropeTheta: number;
  /** Whether embeddings pass a norm; null means no. */
  readonly embLayerNormBefore: boolean | null;
  /** Scale embeddings by how many tokens are masked, as if they had been dropped at random. */
  readonly tokenDropout: boolean;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
  readonly problemType: ProblemType | null;
}

const FOLDING = {
  values: [false, null],
  why: "the model would fold proteins, with parts that are not there",
};

const SETTINGS = defineSettings<EsmConfig>({
  name: "EsmConfig",
  modelType: "esm",
  rows: {
    ...encoderRows({
      hiddenSize: 768,
      intermediateSize: 3072,
      numAttentionHeads: 12,
      hiddenDropoutProb: 0.1,
    }),
    vocabSize: width(33),
    maskTokenId: token.orNull(null),
    padTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
    numHiddenLayers: count(12),
    maxPositionEmbeddings: width(1026),
    positionEmbeddingType: oneOf(["absolute", "rotary"], "absolute"),
    ropeTheta: positive(10_000),
    embLayerNormBefore: flag.orNull(null),
    tokenDropout: flag(false),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    problemType: oneOf([...PROBLEM_TYPES, null], null),
  },
  neutral: {
    isFoldingModel: FOLDING,
    esmfoldConfig: { ...FOLDING, values: [null] },
  },
  inert: {
    hiddenAct: "the function is always GELU, as in transformers",
    classifierDropout: "the classifier drops as hidden_dropout_prob says, as in transformers",
    vocabList: "the tokenizer's tokens, for models that fold proteins",
  },
  numbered: [{ path: "encoder.layer", setting: "numHiddenLayers" }],
  shapes: ({ positionEmbeddingType }) => ({
    "embeddings.word_embeddings.weight": ["vocabSize", "hiddenSize"],
    "encoder.layer.0.intermediate.dense.weight": ["intermediateSize", "hiddenSize"],
    ...(positionEmbeddingType === "absolute" && {
      "embeddings.position_embeddings.weight": ["maxPositionEmbeddings", "hiddenSize"],
    }),
  }),
  complete: (config) => {
    requireHeads("EsmConfig", config);
    return config;
  },
});

/**
 * ESM settings: those given over the defaults, which are Hugging Face's.
 * @throws ModelError for settings that cannot be.
 */
export function esmConfig(given: Partial<EsmConfig> = {}): EsmConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of ESM are read. */
export const esmFamily: ModelFamily<EsmConfig> = declareFamily(SETTINGS, {
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
});
