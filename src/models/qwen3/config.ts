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

/** Settings of a Qwen 3, with Hugging Face's meanings and defaults. */
export interface Qwen3Config extends RotaryConfig, LateWindows {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
}

const DEFAULTS: Qwen3Config = {
  ...DECODER_DEFAULTS,
  ...LATE_WINDOWS,
  modelType: "qwen3",
  vocabSize: 151_936,
  hiddenSize: 4096,
  intermediateSize: 22016,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: 32,
  headDim: 128,
  hiddenAct: "silu",
  maxPositionEmbeddings: 32768,
  rmsNormEps: 1e-6,
  ropeParameters: PLAIN_ROPE,
  attentionBias: false,
};

/** Qwen 3 settings: those given over the defaults. */
export function qwen3Config(given: Given<Qwen3Config> = {}): Qwen3Config {
  return withLateWindows("Qwen3Config", rotaryConfig("Qwen3Config", DEFAULTS, given));
}

/** How checkpoints of Qwen 3 are read. */
export const qwen3Family: ModelFamily<Qwen3Config> = decoderFamily({
  name: "Qwen3Config",
  defaults: DEFAULTS,
  config: qwen3Config,
});
