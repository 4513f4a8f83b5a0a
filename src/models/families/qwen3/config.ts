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
import { activationName, flag, nonNegative } from "../../settings/kinds.ts";
import {
  LATE_WINDOWS,
  type LateWindows,
  withLateWindows,
} from "../../parts/decoder/late-windows.ts";

/** Settings of a Qwen 3, with Hugging Face's meanings and defaults. */
export interface Qwen3Config extends RotaryConfig, LateWindows {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
}

/** What settings Qwens 3 have. */
export const QWEN3_SETTINGS: Settings<Qwen3Config> = defineRotarySettings<Qwen3Config>({
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
export const qwen3Family: ModelFamily<Qwen3Config> = decoderFamily(QWEN3_SETTINGS);
