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
import { activationName, flag, nonNegative } from "../../settings/kinds.ts";

/** Settings of a Qwen 3, with Hugging Face's meanings and defaults. */
export interface Qwen3Config extends RotaryConfig, LateWindows {
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
}

/** What settings Qwens 3 have. */
const QWEN3_SETTINGS: Settings<Qwen3Config> = defineRotarySettings<Qwen3Config>({
  name: "Qwen3Config",
  modelType: "qwen3",
  rows: {
    ...decoderRows({
      vocabSize: 151_936,
      hiddenSize: 4096,
      intermediateSize: 22016,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 32768,
    }),
    ...headRows(32, 128),
    ...LATE_WINDOWS,
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-6),
    attentionBias: flag(false),
  },
  inert: ["dualChunkAttentionConfig"],
  neutral: { useMrope: { values: [false, null], why: "positions would have three parts" } },
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
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    const layer = (): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, {
          bias: config.attentionBias,
          norm: { of: "head", make: (width) => new RMSNorm(width, { eps: config.rmsNormEps }) },
        }),
        mlp: new GatedMLP(config, { act: config.hiddenAct }),
        norm,
      });
    const slidingWindow = config.useSlidingWindow ? config.slidingWindow : null;
    super(config, { layer, norm, window: windowsOf({ ...config, slidingWindow }) });
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
