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

/** Settings of an OLMo 2, with Hugging Face's meanings and defaults. */
export interface Olmo2Config extends RotaryConfig {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
}

/** What settings OLMos 2 have. */
export const OLMO2_SETTINGS: Settings<Olmo2Config> = defineRotarySettings<Olmo2Config>({
  name: "Olmo2Config",
  modelType: "olmo2",
  rows: {
    ...decoderRows({
      vocabSize: 50_304,
      hiddenSize: 4096,
      intermediateSize: 11008,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 2048,
    }),
    ...headRows(null),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-5),
    attentionBias: flag(false),
    eosTokenId: tokens.orNull(50_279),
    padTokenId: token.orNull(1),
  },
});

/** OLMo 2 settings: those given over the defaults, which are those of the 7B model. */
export function olmo2Config(given: Given<Olmo2Config> = {}): Olmo2Config {
  return OLMO2_SETTINGS.read(given);
}

/** How checkpoints of OLMo 2 are read. */
export const olmo2Family: ModelFamily<Olmo2Config> = decoderFamily(OLMO2_SETTINGS);
