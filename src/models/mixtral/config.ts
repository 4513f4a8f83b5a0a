import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";
import { type ExpertCounts, requireExperts } from "../decoder/expert-counts.ts";

/** Settings of a Mixtral, with Hugging Face's meanings and defaults. */
export interface MixtralConfig extends RotaryConfig, ExpertCounts {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** How many tokens each one sees, itself included; null: all before it. */
  readonly slidingWindow: number | null;
  /** While training, what experts read is multiplied by up to this more or less than 1. */
  readonly routerJitterNoise: number;
}

const DEFAULTS: MixtralConfig = {
  ...DECODER_DEFAULTS,
  modelType: "mixtral",
  vocabSize: 32000,
  hiddenSize: 4096,
  intermediateSize: 14336,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: 8,
  headDim: null,
  hiddenAct: "silu",
  maxPositionEmbeddings: 131_072,
  rmsNormEps: 1e-5,
  ropeParameters: { ropeType: "default", ropeTheta: 1_000_000 },
  slidingWindow: null,
  numLocalExperts: 8,
  numExpertsPerTok: 2,
  routerJitterNoise: 0,
  bosTokenId: 1,
  eosTokenId: 2,
};

/** Mixtral settings: those given over the defaults, which are those of the 8x7B model. */
export function mixtralConfig(given: Given<MixtralConfig> = {}): MixtralConfig {
  const config = rotaryConfig("MixtralConfig", DEFAULTS, given);
  requireExperts("MixtralConfig", config);
  return config;
}

/** How checkpoints of Mixtral are read. */
export const mixtralFamily: ModelFamily<MixtralConfig> = decoderFamily({
  name: "MixtralConfig",
  defaults: DEFAULTS,
  config: mixtralConfig,
});
