import { fail } from "../../../nn/errors.ts";
import type { ModelFamily } from "../../model/family.ts";
import type { RotaryHeads } from "../../parts/decoder/config.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  nonNegative,
  oneOf,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Falcon, with Hugging Face's meanings and defaults. */
export interface FalconConfig extends RotaryHeads {
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** Heads of keys and values of the new architecture; null: as many as queries. */
  readonly numKvHeads: number | null;
  /** As Falcon 40B and 11B: heads in groups, attention and MLP side by side. */
  readonly newDecoderArchitecture: boolean;
  /** All heads share one key and one value; the new architecture has its groups. */
  readonly multiQuery: boolean;
  /** Attention and MLP read the same; the new architecture does always. */
  readonly parallelAttn: boolean;
  /** Norms before attention and MLP of the new architecture: one each, or one for both; null: 2. */
  readonly numLnInParallelAttn: 1 | 2 | null;
  /** Scores fall with the distance, and nothing is rotated. */
  readonly alibi: boolean;
  /** Bias of all projections. */
  readonly bias: boolean;
  /** Width inside the MLP; null stands for 4 hiddenSize. */
  readonly ffnHiddenSize: number | null;
  readonly activation: string;
  /** Length that the model was trained for; longer texts are not refused. */
  readonly maxPositionEmbeddings: number;
  readonly layerNormEpsilon: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  readonly hiddenDropout: number;
  readonly attentionDropout: number;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
}

/** Settings as they may be given: in part, or under other names. */
export type GivenFalcon = {
  readonly [K in keyof FalconConfig]?: K extends "ropeParameters" ? unknown : FalconConfig[K];
} & { readonly [K in "ropeTheta" | "ropeScaling" | "nEmbed"]?: unknown };

/** Width inside the MLP. */
export function innerWidth({ ffnHiddenSize, hiddenSize }: FalconConfig): number {
  return ffnHiddenSize ?? 4 * hiddenSize;
}

/** Number of heads of keys and values. */
export function keyHeads(config: FalconConfig): number {
  const { newDecoderArchitecture, multiQuery, numAttentionHeads, numKvHeads } = config;
  if (newDecoderArchitecture) return numKvHeads ?? numAttentionHeads;
  return multiQuery ? 1 : numAttentionHeads;
}

/** Names of a layer's norms before attention and MLP: of both, or each its own. */
export function hasTwoNorms(config: FalconConfig): boolean {
  return config.newDecoderArchitecture && config.numLnInParallelAttn !== 1;
}

/** @throws ModelError for settings that no Falcon can have together. */
function complete(config: FalconConfig): FalconConfig {
  const { newDecoderArchitecture: isNew, numAttentionHeads: heads, numKvHeads } = config;
  const refuse = (message: string): never => fail("FalconConfig", message);
  const { partialRotaryFactor: share = 1 } = config.ropeParameters;
  if (share !== 1) {
    refuse(`ropeParameters.partialRotaryFactor is ${share}, but heads are rotated as a whole`);
  }
  if (isNew && !config.parallelAttn) refuse("newDecoderArchitecture needs parallelAttn to be true");
  if (isNew && heads % keyHeads(config) !== 0) {
    refuse(`numAttentionHeads (${heads}) must be a multiple of numKvHeads (${numKvHeads})`);
  }
  if (!isNew && config.numLnInParallelAttn === 2) {
    refuse("numLnInParallelAttn can be 2 where newDecoderArchitecture is true only");
  }
  if (!isNew && !config.multiQuery && (numKvHeads ?? heads) !== heads) {
    const reason = "newDecoderArchitecture and multiQuery are false, so that each head has its own";
    refuse(`numKvHeads is ${numKvHeads}, but must be numAttentionHeads (${heads}): ${reason}`);
  }
  return config;
}

/** What settings Falcons have. */
export const FALCON_SETTINGS: Settings<FalconConfig> = defineRotarySettings<FalconConfig>({
  name: "FalconConfig",
  modelType: "falcon",
  names: { share: [] },
  rows: {
    vocabSize: width(65024),
    hiddenSize: width(4544, { names: ["nEmbed"] }),
    numHiddenLayers: count(32),
    numAttentionHeads: width(71),
    numKvHeads: width.orNull(null),
    newDecoderArchitecture: flag(false),
    multiQuery: flag(true),
    parallelAttn: flag(true),
    numLnInParallelAttn: oneOf([1, 2, null], null),
    alibi: flag(false),
    bias: flag(false),
    ffnHiddenSize: width.orNull(null),
    activation: activationName("gelu"),
    maxPositionEmbeddings: whole(2048),
    layerNormEpsilon: nonNegative(1e-5),
    initializerRange: nonNegative(0.02),
    hiddenDropout: fraction(0),
    attentionDropout: fraction(0),
    tieWordEmbeddings: flag(true),
    numLabels: whole(2),
    bosTokenId: token.orNull(11),
    eosTokenId: tokens.orNull(11),
  },
  neutral: {
    applyResidualConnectionPostLayernorm: {
      values: [false, null],
      why: "what is normed would be added to",
    },
  },
  numbered: [{ path: "h", setting: "numHiddenLayers" }],
  shapes: (config) => {
    const { hiddenSize, numAttentionHeads: heads } = config;
    const fused = (heads + 2 * keyHeads(config)) * (hiddenSize / heads);
    const shared = config.newDecoderArchitecture ? "numKvHeads" : keyHeads(config);
    return {
      "word_embeddings.weight": ["vocabSize", "hiddenSize"],
      "lm_head.weight": ["vocabSize", "hiddenSize"],
      "score.weight": ["numLabels", "hiddenSize"],
      "h.0.self_attention.query_key_value.weight": [
        [`(numAttentionHeads + 2 * ${shared}) * hiddenSize / numAttentionHeads`, fused],
        "hiddenSize",
      ],
      "h.0.mlp.dense_h_to_4h.weight": [
        config.ffnHiddenSize === null ? ["4 * hiddenSize", innerWidth(config)] : "ffnHiddenSize",
        "hiddenSize",
      ],
    };
  },
  complete,
});

/**
 * Falcon settings: those given over the defaults, which are those of the 7B model.
 * @throws ModelError for sizes that cannot be.
 */
export function falconConfig(given: GivenFalcon = {}): FalconConfig {
  return FALCON_SETTINGS.read(given);
}

/** How checkpoints of Falcon are read. */
export const falconFamily: ModelFamily<FalconConfig> = {
  modelType: "falcon",
  settings: FALCON_SETTINGS,
  readConfig: FALCON_SETTINGS.fromFields,
  basePrefix: "transformer",
};
