import type { ModelFamily } from "../../model/family.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import {
  decoderFamily,
  decoderRows,
  type Given,
  headRows,
  type RotaryConfig,
  SIZES_7B,
} from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { PlainLayerNorm } from "../../parts/decoder/plain-layer-norm.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { activationName, flag, positive, token, tokens } from "../../settings/kinds.ts";

/** Settings of an OLMo, with Hugging Face's meanings and defaults. */
export interface OlmoConfig extends RotaryConfig {
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Queries, keys and values are cut off at plus and minus this. */
  readonly clipQkv: number | null;
}

/** What settings OLMos have. */
const OLMO_SETTINGS: Settings<OlmoConfig> = defineRotarySettings<OlmoConfig>({
  name: "OlmoConfig",
  modelType: "olmo",
  rows: {
    ...decoderRows({
      vocabSize: 50_304,
      ...SIZES_7B,
      intermediateSize: 11008,
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
const olmoFamily: ModelFamily<OlmoConfig> = decoderFamily(OLMO_SETTINGS);

/** OLMo without a head. */
export class OlmoModel extends RotaryDecoder<OlmoConfig, PreNormLayer> {
  static readonly family: ModelFamily<OlmoConfig> = olmoFamily;

  constructor(given: Given<OlmoConfig> = {}) {
    const config = olmoConfig(given);
    const norm = (): PlainLayerNorm => new PlainLayerNorm();
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, {
          bias: config.attentionBias,
          clip: config.clipQkv,
        }),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    super(config, { layer, norm });
  }
}

/** OLMo as a language model: logits of the next token. */
export class OlmoForCausalLM extends DecoderForCausalLM<OlmoModel> {
  static readonly family: ModelFamily<OlmoConfig> = olmoFamily;

  constructor(config: Given<OlmoConfig> = {}) {
    super(new OlmoModel(config));
  }
}

/** OLMo with a linear classifier on the last token that is not padding. */
export class OlmoForSequenceClassification extends DecoderForSequenceClassification<OlmoModel> {
  static readonly family: ModelFamily<OlmoConfig> = olmoFamily;

  constructor(config: Given<OlmoConfig> = {}) {
    super(new OlmoModel(config));
  }
}
