import type { ModelFamily } from "../../model/family.ts";
import {
  attentionShapes,
  decoderFamily,
  decoderRows,
  edgeShapes,
  type Given,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  flag,
  fraction,
  nonNegative,
  token,
  tokens,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Phi 1, 1.5 or 2, with Hugging Face's meanings and defaults. */
export interface PhiConfig extends RotaryConfig {
  readonly numKeyValueHeads: number | null;
  readonly hiddenAct: string;
  readonly layerNormEps: number;
  readonly residPdrop: number;
  readonly embdPdrop: number;
  /** Norm queries and keys of each head before they are rotated. */
  readonly qkLayernorm: boolean;
}

/** What settings Phis have. */
export const PHI_SETTINGS: Settings<PhiConfig> = defineRotarySettings<PhiConfig>({
  name: "PhiConfig",
  modelType: "phi",
  rope: { ropeType: "default", ropeTheta: 10_000, partialRotaryFactor: 0.5 },
  rows: {
    ...decoderRows({
      vocabSize: 51200,
      hiddenSize: 2048,
      intermediateSize: 8192,
      numHiddenLayers: 24,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 2048,
    }),
    numKeyValueHeads: width.orNull(null),
    hiddenAct: activationName("gelu_new"),
    layerNormEps: nonNegative(1e-5),
    residPdrop: fraction(0),
    embdPdrop: fraction(0),
    qkLayernorm: flag(false),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(2),
  },
  shapes: (config) => {
    const { "layers.0.self_attn.o_proj.weight": output = [], ...others } = attentionShapes(config);
    return {
      ...edgeShapes(),
      ...others,
      "layers.0.self_attn.dense.weight": output,
      "layers.0.mlp.fc1.weight": ["intermediateSize", "hiddenSize"],
    };
  },
});

/** Phi settings: those given over the defaults, which are those of Phi 1. */
export function phiConfig(given: Given<PhiConfig> = {}): PhiConfig {
  return PHI_SETTINGS.read(given);
}

/** How checkpoints of Phi are read. */
export const phiFamily: ModelFamily<PhiConfig> = decoderFamily(PHI_SETTINGS);
