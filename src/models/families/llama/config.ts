import type { ModelFamily } from "../../model/family.ts";
import {
  decoderFamily,
  decoderRows,
  type Given,
  headRows,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { activationName, flag, nonNegative, token, tokens } from "../../settings/kinds.ts";

/** Settings of a Llama, with Hugging Face's meanings and defaults. */
export interface LlamaConfig extends RotaryConfig {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
}

/** What settings Llamas have. */
export const LLAMA_SETTINGS: Settings<LlamaConfig> = defineRotarySettings<LlamaConfig>({
  name: "LlamaConfig",
  modelType: "llama",
  rows: {
    ...decoderRows({
      vocabSize: 32000,
      hiddenSize: 4096,
      intermediateSize: 11008,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 2048,
    }),
    ...headRows(null),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-6),
    attentionBias: flag(false),
    mlpBias: flag(false),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
  },
});

/** Llama settings: those given over the defaults, which are those of the first 7B model. */
export function llamaConfig(given: Given<LlamaConfig> = {}): LlamaConfig {
  return LLAMA_SETTINGS.read(given);
}

/** How checkpoints of Llama are read. */
export const llamaFamily: ModelFamily<LlamaConfig> = decoderFamily(LLAMA_SETTINGS);
