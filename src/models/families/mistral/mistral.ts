import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import type { ModelFamily } from "../../model/family.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import {
  decoderFamily,
  decoderRows,
  type Given,
  headRows,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { activationName, nonNegative, token, tokens, whole } from "../../settings/kinds.ts";

/** Settings of a Mistral, with Hugging Face's meanings and defaults. */
export interface MistralConfig extends RotaryConfig {
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
  /** How many tokens each one sees, itself included; null: all before it. */
  readonly slidingWindow: number | null;
}

/** What settings Mistrals have. */
const MISTRAL_SETTINGS: Settings<MistralConfig> = defineRotarySettings<MistralConfig>({
  name: "MistralConfig",
  modelType: "mistral",
  rows: {
    ...decoderRows({
      vocabSize: 32000,
      hiddenSize: 4096,
      intermediateSize: 14336,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 131_072,
    }),
    ...headRows(8),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-6),
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
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    super(config, { layer, norm, window: () => config.slidingWindow });
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
