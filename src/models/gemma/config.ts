import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  PLAIN_ROPE,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";
import { fail } from "../../tensor/errors.ts";

/** Settings of a Gemma, with Hugging Face's meanings and defaults. */
export interface GemmaConfig extends RotaryConfig {
  readonly hiddenAct: string;
  readonly headDim: number;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Let tokens see those after them; only false is known here. */
  readonly useBidirectionalAttention: boolean | null;
}

const DEFAULTS: GemmaConfig = {
  ...DECODER_DEFAULTS,
  modelType: "gemma",
  vocabSize: 256_000,
  hiddenSize: 3072,
  intermediateSize: 24576,
  numHiddenLayers: 28,
  numAttentionHeads: 16,
  numKeyValueHeads: 16,
  headDim: 256,
  hiddenAct: "gelu_pytorch_tanh",
  maxPositionEmbeddings: 8192,
  rmsNormEps: 1e-6,
  ropeParameters: PLAIN_ROPE,
  attentionBias: false,
  useBidirectionalAttention: null,
  tieWordEmbeddings: true,
  bosTokenId: 2,
  eosTokenId: 1,
  padTokenId: 0,
};

/** Gemma settings: those given over the defaults, which are those of the 7B model. */
export function gemmaConfig(given: Given<GemmaConfig> = {}): GemmaConfig {
  const config = rotaryConfig("GemmaConfig", DEFAULTS, given);
  requireCausal("GemmaConfig", config);
  // Old files say "gelu" and mean its approximation, which the models were trained with.
  const hiddenAct = config.hiddenAct === "gelu" ? "gelu_pytorch_tanh" : config.hiddenAct;
  return { ...config, hiddenAct };
}

/** How checkpoints of Gemma are read. */
export const gemmaFamily: ModelFamily<GemmaConfig> = decoderFamily({
  name: "GemmaConfig",
  defaults: DEFAULTS,
  config: gemmaConfig,
});

/** @throws TensorError for a Gemma whose tokens see those after them. */
export function requireCausal(
  family: string,
  config: { readonly useBidirectionalAttention: boolean | null },
): void {
  if (config.useBidirectionalAttention !== true) return;
  fail(family, "useBidirectionalAttention is not known here; only models that write can be run");
}
