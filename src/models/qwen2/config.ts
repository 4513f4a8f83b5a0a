import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  PLAIN_ROPE,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";
import { LATE_WINDOWS, type LateWindows, withLateWindows } from "../decoder/late-windows.ts";

/** Settings of a Qwen 2, with Hugging Face's meanings and defaults. */
export interface Qwen2Config extends RotaryConfig, LateWindows {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
}

const DEFAULTS: Qwen2Config = {
  ...DECODER_DEFAULTS,
  ...LATE_WINDOWS,
  modelType: "qwen2",
  vocabSize: 151_936,
  hiddenSize: 4096,
  intermediateSize: 22016,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: 32,
  hiddenAct: "silu",
  maxPositionEmbeddings: 32768,
  rmsNormEps: 1e-6,
  ropeParameters: PLAIN_ROPE,
};

/** Qwen 2 settings: those given over the defaults. */
export function qwen2Config(given: Given<Qwen2Config> = {}): Qwen2Config {
  return withLateWindows("Qwen2Config", rotaryConfig("Qwen2Config", DEFAULTS, given));
}

/** How checkpoints of Qwen 2 are read. */
export const qwen2Family: ModelFamily<Qwen2Config> = decoderFamily({
  name: "Qwen2Config",
  defaults: DEFAULTS,
  config: qwen2Config,
});
