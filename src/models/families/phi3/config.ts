import type { ModelFamily } from "../../model/family.ts";
import {
  decoderFamily,
  decoderRows,
  edgeShapes,
  headDimOf,
  keyValueHeadsOf,
  type Given,
  headRows,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  fraction,
  nonNegative,
  token,
  tokens,
  whole,
} from "../../settings/kinds.ts";

/** Settings of a Phi-3, with Hugging Face's meanings and defaults. */
export interface Phi3Config extends RotaryConfig {
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  readonly residPdrop: number;
  /** Length of the texts that were trained on before longer ones. */
  readonly originalMaxPositionEmbeddings: number;
  /** How many tokens each one sees, itself included; null: all before it. */
  readonly slidingWindow: number | null;
}

/** Phi-3's files call longrope by names of its drafts. */
function renamed(rope: unknown): unknown {
  if (typeof rope !== "object" || rope === null) return rope;
  const { type, ...rest } = rope as { readonly type?: unknown; readonly ropeType?: unknown };
  const ropeType = rest.ropeType ?? type;
  return ropeType === "su" || ropeType === "yarn" ? { ...rest, ropeType: "longrope" } : rope;
}

const NO_BIAS = { values: [false, null], why: "a projection would have a bias" };

/** What settings Phis 3 have. */
export const PHI3_SETTINGS: Settings<Phi3Config> = defineRotarySettings<Phi3Config>({
  name: "Phi3Config",
  modelType: "phi3",
  rope: { ropeType: "default", ropeTheta: 10_000, partialRotaryFactor: 1 },
  renamedRope: renamed,
  trainedLength: 4096,
  rows: {
    ...decoderRows({
      vocabSize: 32064,
      hiddenSize: 3072,
      intermediateSize: 8192,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 4096,
    }),
    ...headRows(null),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-5),
    residPdrop: fraction(0),
    slidingWindow: whole.orNull(null),
    bosTokenId: token.orNull(1),
    eosTokenId: tokens.orNull(32000),
    padTokenId: token.orNull(32000),
  },
  shapes: (config) => {
    const { numAttentionHeads, intermediateSize } = config;
    const heads = numAttentionHeads + 2 * keyValueHeadsOf(config);
    const width = heads * headDimOf(config);
    return {
      ...edgeShapes(),
      "layers.0.self_attn.qkv_proj.weight": [
        ["(numAttentionHeads + 2 * numKeyValueHeads) * headDim", width],
        "hiddenSize",
      ],
      "layers.0.mlp.gate_up_proj.weight": [
        ["2 * intermediateSize", 2 * intermediateSize],
        "hiddenSize",
      ],
    };
  },
  // Of dropout that no layer has, and of the first program's own attention.
  inert: ["embdPdrop", "fullAttnMod", "interpolateFactor"],
  neutral: { attentionBias: NO_BIAS, mlpBias: NO_BIAS, lmHeadBias: NO_BIAS },
});

/** Phi-3 settings: those given over the defaults, which are those of the mini model. */
export function phi3Config(given: Given<Phi3Config> = {}): Phi3Config {
  return PHI3_SETTINGS.read(given);
}

/** How checkpoints of Phi-3 are read. */
export const phi3Family: ModelFamily<Phi3Config> = decoderFamily(PHI3_SETTINGS);
