import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  PLAIN_ROPE,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";

/** Settings of an OLMo 2, with Hugging Face's meanings and defaults. */
export interface Olmo2Config extends RotaryConfig {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
}

const DEFAULTS: Olmo2Config = {
  ...DECODER_DEFAULTS,
  modelType: "olmo2",
  vocabSize: 50_304,
  hiddenSize: 4096,
  intermediateSize: 11008,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: null,
  hiddenAct: "silu",
  maxPositionEmbeddings: 2048,
  rmsNormEps: 1e-5,
  ropeParameters: PLAIN_ROPE,
  attentionBias: false,
  eosTokenId: 50_279,
  padTokenId: 1,
};

/** OLMo 2 settings: those given over the defaults, which are those of the 7B model. */
export function olmo2Config(given: Given<Olmo2Config> = {}): Olmo2Config {
  return rotaryConfig("Olmo2Config", DEFAULTS, given);
}

/** How checkpoints of OLMo 2 are read. */
export const olmo2Family: ModelFamily<Olmo2Config> = decoderFamily({
  name: "Olmo2Config",
  defaults: DEFAULTS,
  config: olmo2Config,
});
