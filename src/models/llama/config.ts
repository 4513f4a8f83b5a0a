import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  PLAIN_ROPE,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";

/** Settings of a Llama, with Hugging Face's meanings and defaults. */
export interface LlamaConfig extends RotaryConfig {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
}

const DEFAULTS: LlamaConfig = {
  ...DECODER_DEFAULTS,
  modelType: "llama",
  vocabSize: 32000,
  hiddenSize: 4096,
  intermediateSize: 11008,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: null,
  headDim: null,
  hiddenAct: "silu",
  maxPositionEmbeddings: 2048,
  rmsNormEps: 1e-6,
  ropeParameters: PLAIN_ROPE,
  attentionBias: false,
  mlpBias: false,
  bosTokenId: 1,
  eosTokenId: 2,
};

/** Llama settings: those given over the defaults, which are those of the first 7B model. */
export function llamaConfig(given: Given<LlamaConfig> = {}): LlamaConfig {
  return rotaryConfig("LlamaConfig", DEFAULTS, given);
}

/** How checkpoints of Llama are read. */
export const llamaFamily: ModelFamily<LlamaConfig> = decoderFamily({
  name: "LlamaConfig",
  defaults: DEFAULTS,
  config: llamaConfig,
});
