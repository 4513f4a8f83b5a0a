import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";

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

const DEFAULTS: Phi3Config = {
  ...DECODER_DEFAULTS,
  modelType: "phi3",
  vocabSize: 32064,
  hiddenSize: 3072,
  intermediateSize: 8192,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: null,
  hiddenAct: "silu",
  maxPositionEmbeddings: 4096,
  originalMaxPositionEmbeddings: 4096,
  rmsNormEps: 1e-5,
  ropeParameters: { ropeType: "default", ropeTheta: 10_000, partialRotaryFactor: 1 },
  residPdrop: 0,
  slidingWindow: null,
  bosTokenId: 1,
  eosTokenId: 32000,
  padTokenId: 32000,
};

/** Phi-3's files call longrope by names of its drafts. */
function renamed(rope: unknown): unknown {
  if (typeof rope !== "object" || rope === null) return rope;
  const { type, ...rest } = rope as { readonly type?: unknown; readonly ropeType?: unknown };
  const ropeType = rest.ropeType ?? type;
  return ropeType === "su" || ropeType === "yarn" ? { ...rest, ropeType: "longrope" } : rope;
}

/** Phi-3 settings: those given over the defaults, which are those of the mini model. */
export function phi3Config(given: Given<Phi3Config> = {}): Phi3Config {
  const { ropeParameters, ropeScaling } = given;
  return rotaryConfig("Phi3Config", DEFAULTS, {
    ...given,
    ropeParameters: renamed(ropeParameters),
    ropeScaling: renamed(ropeScaling),
  });
}

/** How checkpoints of Phi-3 are read. */
export const phi3Family: ModelFamily<Phi3Config> = decoderFamily({
  name: "Phi3Config",
  defaults: DEFAULTS,
  config: phi3Config,
});
