import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import type { ModelFamily } from "../family.ts";

/** Settings of an RWKV (version 4), with Hugging Face's meanings and defaults. */
export interface RwkvConfig extends ModelConfig {
  readonly vocabSize: number;
  /** Length of the texts that it was trained on; longer ones can be read too. */
  readonly contextLength: number;
  readonly hiddenSize: number;
  readonly numHiddenLayers: number;
  /** Channels of the time mixing; null stands for hiddenSize. */
  readonly attentionHiddenSize: number | null;
  /** Width inside the feed-forward layers; null stands for 4 hiddenSize. */
  readonly intermediateSize: number | null;
  readonly layerNormEpsilon: number;
  /** In evaluation, values are halved behind every so many layers; 0 for never. */
  readonly rescaleEvery: number;
  readonly tieWordEmbeddings: boolean;
}

const DEFAULTS: RwkvConfig = {
  modelType: "rwkv",
  vocabSize: 50277,
  contextLength: 1024,
  hiddenSize: 4096,
  numHiddenLayers: 32,
  attentionHiddenSize: null,
  intermediateSize: null,
  layerNormEpsilon: 1e-5,
  rescaleEvery: 6,
  tieWordEmbeddings: false,
  bosTokenId: 0,
  eosTokenId: 0,
};

/**
 * RWKV settings: those given over the defaults, which are Hugging Face's.
 * @throws TensorError for sizes that cannot be.
 */
export function rwkvConfig(given: Partial<RwkvConfig> = {}): RwkvConfig {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, hiddenSize, numHiddenLayers } = config;
  requirePositive("RwkvConfig", {
    vocabSize,
    hiddenSize,
    numHiddenLayers,
    attentionHiddenSize: config.attentionHiddenSize ?? hiddenSize,
    intermediateSize: config.intermediateSize ?? 4 * hiddenSize,
  });
  return config;
}

/** How checkpoints of RWKV are read. */
export const rwkvFamily: ModelFamily<RwkvConfig> = {
  modelType: "rwkv",
  readConfig: (fields) => rwkvConfig(checkedFields("RwkvConfig", DEFAULTS, fields)),
  basePrefix: "rwkv",
};
