import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  PLAIN_ROPE,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";

/** Settings of a Mistral, with Hugging Face's meanings and defaults. */
export interface MistralConfig extends RotaryConfig {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** How many tokens each one sees, itself included; null: all before it. */
  readonly slidingWindow: number | null;
}

const DEFAULTS: MistralConfig = {
  ...DECODER_DEFAULTS,
  modelType: "mistral",
  vocabSize: 32000,
  hiddenSize: 4096,
  intermediateSize: 14336,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: 8,
  headDim: null,
  hiddenAct: "silu",
  maxPositionEmbeddings: 131_072,
  rmsNormEps: 1e-6,
  ropeParameters: PLAIN_ROPE,
  slidingWindow: 4096,
  bosTokenId: 1,
  eosTokenId: 2,
};

/** Mistral settings: those given over the defaults, which are those of the 7B model. */
export function mistralConfig(given: Given<MistralConfig> = {}): MistralConfig {
  return rotaryConfig("MistralConfig", DEFAULTS, given);
}

/** How checkpoints of Mistral are read. */
export const mistralFamily: ModelFamily<MistralConfig> = decoderFamily({
  name: "MistralConfig",
  defaults: DEFAULTS,
  config: mistralConfig,
});
