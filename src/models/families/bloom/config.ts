import { fail } from "../../../nn/errors.ts";
import type { ModelFamily } from "../../model/family.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings, type Settings } from "../../settings/define-settings.ts";
import { count, flag, fraction, nonNegative, token, tokens, whole, width } from "../../settings/kinds.ts"; // prettier-ignore

/** Settings of a Bloom, with Hugging Face's meanings and defaults. */
export interface BloomConfig extends ModelConfig {
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  readonly nLayer: number;
  readonly nHead: number;
  readonly layerNormEpsilon: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  /** Add what attention and MLP give to what they read, which is normed, and not to the residual stream. */
  readonly applyResidualConnectionPostLayernorm: boolean;
  readonly hiddenDropout: number;
  readonly attentionDropout: number;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
}

/** Settings as they may be given: in part, or under the names of other families. */
export type GivenBloom = Partial<BloomConfig> & {
  readonly [K in "nEmbed" | "numAttentionHeads" | "numHiddenLayers"]?: number;
};

/** What settings Blooms have. */
export const BLOOM_SETTINGS: Settings<BloomConfig> = defineSettings<BloomConfig>({
  name: "BloomConfig",
  modelType: "bloom",
  rows: {
    vocabSize: width(250_880),
    hiddenSize: width(64, { names: ["nEmbed"] }),
    nLayer: count(2, { names: ["numHiddenLayers"] }),
    nHead: width(8, { names: ["numAttentionHeads"] }),
    layerNormEpsilon: nonNegative(1e-5),
    initializerRange: nonNegative(0.02),
    applyResidualConnectionPostLayernorm: flag(false),
    hiddenDropout: fraction(0),
    attentionDropout: fraction(0),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
    padTokenId: token.orNull(null),
  },
  // Of the order of sums on several machines, and of the program that trained the models.
  inert: [
    "slowButExact",
    "offsetAlibi",
    "attentionSoftmaxInFp32",
    "biasDropoutFusion",
    "maskedSoftmaxFusion",
    "skipBiasAdd",
    "skipBiasAddQkv",
  ],
  neutral: { nInner: { values: [null], why: "the MLP would not be 4 times as wide as the model" } },
  numbered: [{ path: "h", setting: "nLayer" }],
  shapes: ({ hiddenSize }) => ({
    "word_embeddings.weight": ["vocabSize", "hiddenSize"],
    "lm_head.weight": ["vocabSize", "hiddenSize"],
    "score.weight": ["numLabels", "hiddenSize"],
    "h.0.self_attention.query_key_value.weight": [["3 * hiddenSize", 3 * hiddenSize], "hiddenSize"],
  }),
  complete: (config) => {
    const { hiddenSize, nHead } = config;
    if (hiddenSize % nHead === 0) return config;
    return fail("BloomConfig", `hiddenSize (${hiddenSize}) must be a multiple of nHead (${nHead})`);
  },
});

/**
 * Bloom settings: those given over the defaults, which are those of a very small model.
 * @throws ModelError for sizes that cannot be.
 */
export function bloomConfig(given: GivenBloom = {}): BloomConfig {
  return BLOOM_SETTINGS.read(given);
}

/** How checkpoints of Bloom are read. */
export const bloomFamily: ModelFamily<BloomConfig> = {
  modelType: "bloom",
  settings: BLOOM_SETTINGS,
  readConfig: BLOOM_SETTINGS.fromFields,
  basePrefix: "transformer",
};
