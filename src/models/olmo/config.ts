import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  PLAIN_ROPE,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";

/** Settings of an OLMo, with Hugging Face's meanings and defaults. */
export interface OlmoConfig extends RotaryConfig {
  readonly hiddenAct: string;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Queries, keys and values are cut off at plus and minus this. */
  readonly clipQkv: number | null;
}

const DEFAULTS: OlmoConfig = {
  ...DECODER_DEFAULTS,
  modelType: "olmo",
  vocabSize: 50_304,
  hiddenSize: 4096,
  intermediateSize: 11008,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: null,
  hiddenAct: "silu",
  maxPositionEmbeddings: 2048,
  ropeParameters: PLAIN_ROPE,
  attentionBias: false,
  clipQkv: null,
  eosTokenId: 50_279,
  padTokenId: 1,
};

/** OLMo settings: those given over the defaults, which are those of the 7B model. */
export function olmoConfig(given: Given<OlmoConfig> = {}): OlmoConfig {
  return rotaryConfig("OlmoConfig", DEFAULTS, given);
}

/** How checkpoints of OLMo are read. */
export const olmoFamily: ModelFamily<OlmoConfig> = decoderFamily({
  name: "OlmoConfig",
  defaults: DEFAULTS,
  config: olmoConfig,
});
