import type { ModelFamily } from "../../model/family.ts";
import {
  decoderFamily,
  type GatedConfig,
  gatedRows,
  type Given,
  SIZES_7B,
} from "../../parts/decoder/config.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import {
  LATE_WINDOWS,
  type LateWindows,
  lateWindowsOf,
  QWEN_FIELDS,
  withLateWindows,
} from "../../parts/decoder/late-windows.ts";
import type { PreNormLayer } from "../../parts/decoder/layers.ts";
import { preNormParts } from "../../parts/decoder/pre-norm.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";

/** Settings of a Qwen 2, with Hugging Face's meanings and defaults. */
export interface Qwen2Config extends GatedConfig, LateWindows {}

/** What settings Qwens 2 have. */
const QWEN2_SETTINGS: Settings<Qwen2Config> = defineRotarySettings<Qwen2Config>({
  name: "Qwen2Config",
  modelType: "qwen2",
  rows: {
    ...gatedRows({
      ...SIZES_7B,
      vocabSize: 151_936,
      intermediateSize: 22016,
      maxPositionEmbeddings: 32768,
      numKeyValueHeads: 32,
    }),
    ...LATE_WINDOWS,
  },
  ...QWEN_FIELDS,
  complete: (config) => withLateWindows("Qwen2Config", config),
});

/** Qwen 2 settings: those given over the defaults. */
export function qwen2Config(given: Given<Qwen2Config> = {}): Qwen2Config {
  return QWEN2_SETTINGS.read(given);
}

/** How checkpoints of Qwen 2 are read. */
const qwen2Family: ModelFamily<Qwen2Config> = decoderFamily(QWEN2_SETTINGS);

/** Qwen 2 without a head. */
export class Qwen2Model extends RotaryDecoder<Qwen2Config, PreNormLayer> {
  static readonly family: ModelFamily<Qwen2Config> = qwen2Family;

  constructor(given: Given<Qwen2Config> = {}) {
    const config = qwen2Config(given);
    const parts = preNormParts(config, { attention: { bias: true, outputBias: false } });
    super(config, { ...parts, window: lateWindowsOf(config) });
  }
}

/** Qwen 2 as a language model: logits of the next token. */
export class Qwen2ForCausalLM extends DecoderForCausalLM<Qwen2Model> {
  static readonly family: ModelFamily<Qwen2Config> = qwen2Family;

  constructor(config: Given<Qwen2Config> = {}) {
    super(new Qwen2Model(config));
  }
}

/** Qwen 2 with a linear classifier on the last token that is not padding. */
export class Qwen2ForSequenceClassification extends DecoderForSequenceClassification<Qwen2Model> {
  static readonly family: ModelFamily<Qwen2Config> = qwen2Family;

  constructor(config: Given<Qwen2Config> = {}) {
    super(new Qwen2Model(config));
  }
}
