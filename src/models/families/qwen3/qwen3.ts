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
import { preNormParts, rmsNormOf } from "../../parts/decoder/pre-norm.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { flag } from "../../settings/kinds.ts";

/** Settings of a Qwen 3, with Hugging Face's meanings and defaults. */
export interface Qwen3Config extends GatedConfig, LateWindows {
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
}

/** What settings Qwens 3 have. */
const QWEN3_SETTINGS: Settings<Qwen3Config> = defineRotarySettings<Qwen3Config>({
  name: "Qwen3Config",
  modelType: "qwen3",
  rows: {
    ...gatedRows({
      ...SIZES_7B,
      vocabSize: 151_936,
      intermediateSize: 22016,
      maxPositionEmbeddings: 32768,
      numKeyValueHeads: 32,
      headDim: 128,
    }),
    ...LATE_WINDOWS,
    attentionBias: flag(false),
  },
  ...QWEN_FIELDS,
  complete: (config) => withLateWindows("Qwen3Config", config),
});

/** Qwen 3 settings: those given over the defaults. */
export function qwen3Config(given: Given<Qwen3Config> = {}): Qwen3Config {
  return QWEN3_SETTINGS.read(given);
}

/** How checkpoints of Qwen 3 are read. */
const qwen3Family: ModelFamily<Qwen3Config> = decoderFamily(QWEN3_SETTINGS);

/** Qwen 3 without a head. */
export class Qwen3Model extends RotaryDecoder<Qwen3Config, PreNormLayer> {
  static readonly family: ModelFamily<Qwen3Config> = qwen3Family;

  constructor(given: Given<Qwen3Config> = {}) {
    const config = qwen3Config(given);
    const norm = { of: "head", make: (width: number) => rmsNormOf(config, width) } as const;
    const parts = preNormParts(config, { attention: { bias: config.attentionBias, norm } });
    super(config, { ...parts, window: lateWindowsOf(config) });
  }
}

/** Qwen 3 as a language model: logits of the next token. */
export class Qwen3ForCausalLM extends DecoderForCausalLM<Qwen3Model> {
  static readonly family: ModelFamily<Qwen3Config> = qwen3Family;

  constructor(config: Given<Qwen3Config> = {}) {
    super(new Qwen3Model(config));
  }
}

/** Qwen 3 with a linear classifier on the last token that is not padding. */
export class Qwen3ForSequenceClassification extends DecoderForSequenceClassification<Qwen3Model> {
  static readonly family: ModelFamily<Qwen3Config> = qwen3Family;

  constructor(config: Given<Qwen3Config> = {}) {
    super(new Qwen3Model(config));
  }
}
