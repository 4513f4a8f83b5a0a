import type { ModelFamily } from "../../model/family.ts";
import {
  attentionShapes,
  decoderFamily,
  decoderRows,
  edgeShapes,
  type Given,
  headRows,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { activationName, nonNegative, token, tokens, whole } from "../../settings/kinds.ts";
import {
  type ExpertCounts,
  expertRows,
  requireExperts,
  ROUTER_FIELDS,
} from "../../parts/decoder/expert-counts.ts";

/** Settings of a Mixtral, with Hugging Face's meanings and defaults. */
export interface MixtralConfig extends RotaryConfig, ExpertCounts {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** How many tokens each one sees, itself included; null: all before it. */
  readonly slidingWindow: number | null;
  /** While training, what experts read is multiplied by up to this more or less than 1. */
  readonly routerJitterNoise: number;
}

/** What settings Mixtrals have. */
export const MIXTRAL_SETTINGS: Settings<MixtralConfig> = defineRotarySettings<MixtralConfig>({
  name: "MixtralConfig",
  modelType: "mixtral",
  rope: { ropeType: "default", ropeTheta: 1_000_000 },
  rows: {
    ...decoderRows({
      vocabSize: 32000,
      hiddenSize: 4096,
      intermediateSize: 14336,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 131_072,
    }),
    ...headRows(8),
    ...expertRows({ numLocalExperts: 8, numExpertsPerTok: 2 }),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-5),
    slidingWindow: whole.orNull(null),
    routerJitterNoise: nonNegative(0),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
  },
  ...ROUTER_FIELDS,
  shapes: (config) => ({
    ...edgeShapes(),
    ...attentionShapes(config),
    "layers.0.block_sparse_moe.gate.weight": ["numLocalExperts", "hiddenSize"],
    "layers.0.block_sparse_moe.experts.0.w1.weight": ["intermediateSize", "hiddenSize"],
  }),
  complete: (config) => requireExperts("MixtralConfig", config),
});

/** Mixtral settings: those given over the defaults, which are those of the 8x7B model. */
export function mixtralConfig(given: Given<MixtralConfig> = {}): MixtralConfig {
  return MIXTRAL_SETTINGS.read(given);
}

/** How checkpoints of Mixtral are read. */
export const mixtralFamily: ModelFamily<MixtralConfig> = decoderFamily(MIXTRAL_SETTINGS);
