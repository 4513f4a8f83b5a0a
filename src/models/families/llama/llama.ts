import type { DeclaredFamily } from "../../model/family.ts";
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
import { flag, token, tokens } from "../../settings/kinds.ts";

/** Settings of a Llama, with Hugging Face's meanings and defaults. */
export interface LlamaConfig extends GatedConfig {
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Whether the MLP's projections have a bias. */
  readonly mlpBias: boolean;
}

/** What settings Llamas have. */
const LLAMA_SETTINGS: Settings<LlamaConfig> = defineRotarySettings<LlamaConfig>({
  name: "LlamaConfig",
  modelType: "llama",
  rows: {
    ...gatedRows({
      ...SIZES_7B,
      vocabSize: 32000,
      intermediateSize: 11008,
      maxPositionEmbeddings: 2048,
    }),
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
const llamaFamily: DeclaredFamily<LlamaConfig> = decoderFamily(LLAMA_SETTINGS);

/** Llama without a head. */
export class LlamaModel extends RotaryDecoder<LlamaConfig, PreNormLayer> {
  static readonly family: DeclaredFamily<LlamaConfig> = llamaFamily;

  constructor(given: Given<LlamaConfig> = {}) {
    const config = llamaConfig(given);
    const { attentionBias: bias, mlpBias } = config;
    super(config, preNormParts(config, { attention: { bias }, mlpBias }));
  }
}

/** Llama as a language model: logits of the next token. */
export class LlamaForCausalLM extends DecoderForCausalLM<LlamaModel> {
  static readonly family: DeclaredFamily<LlamaConfig> = llamaFamily;

  constructor(config: Given<LlamaConfig> = {}) {
    super(new LlamaModel(config));
  }
}

/** Llama with a linear classifier on the last token that is not padding. */
export class LlamaForSequenceClassification extends DecoderForSequenceClassification<LlamaModel> {
  static readonly family: DeclaredFamily<LlamaConfig> = llamaFamily;

  constructor(config: Given<LlamaConfig> = {}) {
    super(new LlamaModel(config));
  }
}
