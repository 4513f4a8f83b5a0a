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
import { activationName, nonNegative } from "../../settings/kinds.ts";
import {
  LATE_WINDOWS,
  type LateWindows,
  withLateWindows,
} from "../../parts/decoder/late-windows.ts";

/** Settings of a Qwen 2, with Hugging Face's meanings and defaults. */
export interface Qwen2Config extends RotaryConfig, LateWindows {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
}

/** What settings Qwens 2 have. */
export const QWEN2_SETTINGS: Settings<Qwen2Config> = defineRotarySettings<Qwen2Config>({
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
export const qwen2Family: ModelFamily<Qwen2Config> = decoderFamily(QWEN2_SETTINGS);
