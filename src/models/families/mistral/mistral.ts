import type { ModelFamily } from "../../model/family.ts";
import {
  decoderFamily,
  type GatedConfig,
  gatedRows,
  type Given,
  SIZES_7B,
} from "../../parts/decoder/config.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import type { PreNormLayer } from "../../parts/decoder/layers.ts";
import { preNormParts } from "../../parts/decoder/pre-norm.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { token, tokens, whole } from "../../settings/kinds.ts";

/** Settings of a Mistral, with Hugging Face's meanings and defaults. */
export interface MistralConfig extends GatedConfig {
  /** How many tokens each one sees, itself included; null: all before it. */
  readonly slidingWindow: number | null;
}

/** What settings Mistrals have. */
const MISTRAL_SETTINGS: Settings<MistralConfig> = defineRotarySettings<MistralConfig>({
  name: "MistralConfig",
  modelType: "mistral",
  rows: {
    ...gatedRows({
      ...SIZES_7B,
      vocabSize: 32000,
      intermediateSize: 14336,
      maxPositionEmbeddings: 131_072,
      numKeyValueHeads: 8,
    }),
    slidingWindow: whole.orNull(4096),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
  },
});

/** Mistral settings: those given over the defaults, which are those of the 7B model. */
export function mistralConfig(given: Given<MistralConfig> = {}): MistralConfig {
  return MISTRAL_SETTINGS.read(given);
}

/** How checkpoints of Mistral are read. */
const mistralFamily: ModelFamily<MistralConfig> = decoderFamily(MISTRAL_SETTINGS);

/** Mistral without a head. */
export class MistralModel extends RotaryDecoder<MistralConfig, PreNormLayer> {
  static readonly family: ModelFamily<MistralConfig> = mistralFamily;

  constructor(given: Given<MistralConfig> = {}) {
    const config = mistralConfig(given);
    super(config, { ...preNormParts(config), window: () => config.slidingWindow });
  }
}

/** Mistral as a language model: logits of the next token. */
export class MistralForCausalLM extends DecoderForCausalLM<MistralModel> {
  static readonly family: ModelFamily<MistralConfig> = mistralFamily;

  constructor(config: Given<MistralConfig> = {}) {
    super(new MistralModel(config));
  }
}

/** Mistral with a linear classifier on the last token that is not padding. */
export class MistralForSequenceClassification extends DecoderForSequenceClassification<MistralModel> {
  static readonly family: ModelFamily<MistralConfig> = mistralFamily;

  constructor(config: Given<MistralConfig> = {}) {
    super(new MistralModel(config));
  }
}
