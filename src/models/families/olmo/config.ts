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
import { activationName, flag, positive, token, tokens } from "../../settings/kinds.ts";

/** Settings of an OLMo, with Hugging Face's meanings and defaults. */
export interface OlmoConfig extends RotaryConfig {
  readonly hiddenAct: string;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Queries, keys and values are cut off at plus and minus this. */
  readonly clipQkv: number | null;
}

/** What settings OLMos have. */
export const OLMO_SETTINGS: Settings<OlmoConfig> = defineRotarySettings<OlmoConfig>({
  name: "OlmoConfig",
  modelType: "olmo",
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
    attentionBias: flag(false),
    clipQkv: positive.orNull(null),
    eosTokenId: tokens.orNull(50_279),
    padTokenId: token.orNull(1),
  },
});

/** OLMo settings: those given over the defaults, which are those of the 7B model. */
export function olmoConfig(given: Given<OlmoConfig> = {}): OlmoConfig {
  return OLMO_SETTINGS.read(given);
}

/** How checkpoints of OLMo are read. */
export const olmoFamily: ModelFamily<OlmoConfig> = decoderFamily(OLMO_SETTINGS);
