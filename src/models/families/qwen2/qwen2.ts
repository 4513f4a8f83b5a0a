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
import {
  LATE_WINDOWS,
  type LateWindows,
  withLateWindows,
} from "../../parts/decoder/late-windows.ts";
import { windowsOf } from "../../parts/decoder/layer-types.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import { activationName, nonNegative } from "../../settings/kinds.ts";

/** Settings of a Qwen 2, with Hugging Face's meanings and defaults. */
export interface Qwen2Config extends RotaryConfig, LateWindows {
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
}

/** What settings Qwens 2 have. */
const QWEN2_SETTINGS: Settings<Qwen2Config> = defineRotarySettings<Qwen2Config>({
  name: "Qwen2Config",
  modelType: "qwen2",
  rows: {
    ...decoderRows({
      vocabSize: 151_936,
      hiddenSize: 4096,
      intermediateSize: 22016,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 32768,
    }),
    ...headRows(32),
    ...LATE_WINDOWS,
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-6),
  },
  inert: ["dualChunkAttentionConfig"],
  neutral: { useMrope: { values: [false, null], why: "positions would have three parts" } },
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
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, { bias: true, outputBias: false }),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    const slidingWindow = config.useSlidingWindow ? config.slidingWindow : null;
    super(config, { layer, norm, window: windowsOf({ ...config, slidingWindow }) });
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
