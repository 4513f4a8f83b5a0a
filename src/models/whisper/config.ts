import type { AudioClassifierConfig } from "../audio/classifier.ts";
import { checkedFields, requirePositive, withDefaults } from "../config.ts";
import { requireHeads } from "../encoder/require-heads.ts";
import type { ModelFamily } from "../family.ts";
import type { Seq2SeqConfig } from "../seq2seq/seq2seq-language-model.ts";

/** Settings of a Whisper, with Hugging Face's meanings and defaults. */
export interface WhisperConfig extends Seq2SeqConfig, AudioClassifierConfig {
  readonly vocabSize: number;
  /** Frequencies of the spectrogram. */
  readonly numMelBins: number;
  /** Width of the residual streams. */
  readonly dModel: number;
  readonly encoderLayers: number;
  readonly encoderAttentionHeads: number;
  readonly encoderFfnDim: number;
  readonly decoderLayers: number;
  readonly decoderAttentionHeads: number;
  readonly decoderFfnDim: number;
  readonly activationFunction: string;
  readonly dropout: number;
  readonly attentionDropout: number;
  readonly activationDropout: number;
  /** Standard deviation of weights at the start. */
  readonly initStd: number;
  /** Positions of the encoder: spectrograms have twice as many frames. */
  readonly maxSourcePositions: number;
  /** Longest text of the decoder. */
  readonly maxTargetPositions: number;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
}

const DEFAULTS: WhisperConfig = {
  modelType: "whisper",
  vocabSize: 51865,
  numMelBins: 80,
  dModel: 384,
  encoderLayers: 4,
  encoderAttentionHeads: 6,
  encoderFfnDim: 1536,
  decoderLayers: 4,
  decoderAttentionHeads: 6,
  decoderFfnDim: 1536,
  decoderStartTokenId: 50257,
  activationFunction: "gelu",
  dropout: 0,
  attentionDropout: 0,
  activationDropout: 0,
  initStd: 0.02,
  maxSourcePositions: 1500,
  maxTargetPositions: 448,
  padTokenId: 50256,
  bosTokenId: 50256,
  eosTokenId: 50256,
  tieWordEmbeddings: true,
  numLabels: 2,
  classifierProjSize: 256,
  useWeightedLayerSum: false,
};

/**
 * Whisper settings: those given over the defaults, which are Whisper-tiny's.
 * @throws TensorError for sizes that cannot be.
 */
export function whisperConfig(given: Partial<WhisperConfig> = {}): WhisperConfig {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, numMelBins, dModel: hiddenSize } = config;
  const { encoderLayers, encoderAttentionHeads, encoderFfnDim, maxSourcePositions } = config;
  const { decoderLayers, decoderAttentionHeads, decoderFfnDim, maxTargetPositions } = config;
  const encoder = { encoderLayers, encoderAttentionHeads, encoderFfnDim, maxSourcePositions };
  const decoder = { decoderLayers, decoderAttentionHeads, decoderFfnDim, maxTargetPositions };
  const { numLabels, classifierProjSize } = config;
  const head = { numLabels, classifierProjSize };
  const sizes = { vocabSize, numMelBins, dModel: hiddenSize, ...encoder, ...decoder, ...head };
  requirePositive("WhisperConfig", sizes);
  for (const numAttentionHeads of [encoderAttentionHeads, decoderAttentionHeads]) {
    requireHeads("WhisperConfig", { hiddenSize, numAttentionHeads });
  }
  return config;
}

/** How checkpoints of Whispers are read. */
export const whisperFamily: ModelFamily<WhisperConfig> = {
  modelType: "whisper",
  readConfig: (fields) => whisperConfig(checkedFields("WhisperConfig", DEFAULTS, fields)),
  basePrefix: "model",
};
