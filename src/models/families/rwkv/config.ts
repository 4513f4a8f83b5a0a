import type { ModelConfig } from "../../settings/config.ts";
import type { ModelFamily } from "../../model/family.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import { count, flag, integer, nonNegative, token, tokens, whole, width } from "../../settings/kinds.ts"; // prettier-ignore

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
  /** In evaluation, values are halved after every so many layers; 0 or less for never. */
  readonly rescaleEvery: number;
  readonly tieWordEmbeddings: boolean;
}

const SETTINGS = defineSettings<RwkvConfig>({
  name: "RwkvConfig",
  modelType: "rwkv",
  rows: {
    vocabSize: width(50277),
    contextLength: whole(1024, { names: ["maxPositionEmbeddings"] }),
    hiddenSize: width(4096),
    numHiddenLayers: count(32),
    attentionHiddenSize: width.orNull(null),
    intermediateSize: width.orNull(null),
    layerNormEpsilon: nonNegative(1e-5),
    rescaleEvery: integer(6),
    tieWordEmbeddings: flag(false),
    bosTokenId: token.orNull(0),
    eosTokenId: tokens.orNull(0),
  },
  numbered: [{ path: "blocks", setting: "numHiddenLayers" }],
  shapes: ({ hiddenSize, attentionHiddenSize, intermediateSize }) => ({
    "embeddings.weight": ["vocabSize", "hiddenSize"],
    "blocks.0.attention.key.weight": [
      ["attentionHiddenSize", attentionHiddenSize ?? hiddenSize],
      "hiddenSize",
    ],
    "blocks.0.feed_forward.key.weight": [
      ["intermediateSize", intermediateSize ?? 4 * hiddenSize],
      "hiddenSize",
    ],
  }),
});

/**
 * RWKV settings: those given over the defaults, which are Hugging Face's.
 * @throws ModelError for settings that cannot be.
 */
export function rwkvConfig(given: Partial<RwkvConfig> = {}): RwkvConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of RWKV are read. */
export const rwkvFamily: ModelFamily<RwkvConfig> = {
  modelType: "rwkv",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
  basePrefix: "rwkv",
};
