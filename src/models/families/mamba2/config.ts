import { fail } from "../../../nn/errors.ts";
import type { ModelConfig } from "../../settings/config.ts";
import type { ModelFamily } from "../../model/family.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import { activationName, count, flag, kind, nonNegative, positive, token, tokens, width } from "../../settings/kinds.ts"; // prettier-ignore
import type { TimeStepConfig } from "../../parts/state-space/init.ts";

/** Settings of a Mamba-2, with Hugging Face's meanings and defaults. */
export interface Mamba2Config extends ModelConfig, TimeStepConfig {
  readonly numHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Numbers in the state of each channel. */
  readonly stateSize: number;
  readonly numHiddenLayers: number;
  readonly layerNormEpsilon: number;
  /** Channels of the mixer, in multiples of hiddenSize: numHeads * headDim. */
  readonly expand: number;
  readonly convKernel: number;
  /** Groups of heads that read and write their states alike. */
  readonly nGroups: number;
  readonly useBias: boolean;
  readonly useConvBias: boolean;
  readonly hiddenAct: string;
  readonly initializerRange: number;
  /** Least and greatest length of a step. */
  readonly timeStepLimit: readonly number[];
  readonly rescalePrenormResidual: boolean;
  readonly tieWordEmbeddings: boolean;
}

function isLimit(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [least, most] = value as unknown[];
  return typeof least === "number" && typeof most === "number" && 0 <= least && least <= most;
}

const limits = kind<readonly number[]>("a list of the least and the greatest length", isLimit);

const FIRST = "for Mamba's steps, which Mamba-2 does not have";

const SETTINGS = defineSettings<Mamba2Config>({
  name: "Mamba2Config",
  modelType: "mamba2",
  rows: {
    numHeads: width(128),
    headDim: width(64),
    vocabSize: width(32768),
    hiddenSize: width(4096),
    stateSize: width(128),
    numHiddenLayers: count(64),
    layerNormEpsilon: nonNegative(1e-5),
    expand: positive(2),
    convKernel: width(4),
    nGroups: width(8),
    useBias: flag(false),
    useConvBias: flag(true),
    hiddenAct: activationName("silu"),
    initializerRange: nonNegative(0.1),
    timeStepMin: positive(0.001),
    timeStepMax: positive(0.1),
    timeStepFloor: nonNegative(1e-4),
    timeStepLimit: limits([0, Infinity]),
    rescalePrenormResidual: flag(false),
    tieWordEmbeddings: flag(false),
    bosTokenId: token.orNull(0),
    eosTokenId: tokens.orNull(2),
    padTokenId: token.orNull(1),
  },
  neutral: { rmsNorm: { values: [true, null], why: "there would be no norm before out_proj" } },
  inert: {
    chunkSize: "how it is computed, not what",
    residualInFp32: "all is computed in float32",
    normBeforeGate: "the gate always comes before the norm, as in transformers",
    intermediateSize: "follows from expand and hidden_size, as in transformers",
    timeStepRank: FIRST,
    timeStepScale: FIRST,
    timeStepInitScheme: FIRST,
  },
  numbered: [{ path: "layers", setting: "numHiddenLayers" }],
  shapes: (config) => ({
    "embeddings.weight": ["vocabSize", "hiddenSize"],
    "layers.0.mixer.A_log": ["numHeads"],
    "layers.0.mixer.norm.weight": [["numHeads * headDim", innerWidth(config)]],
    "layers.0.mixer.conv1d.weight": [
      ["numHeads * headDim + 2 * nGroups * stateSize", convWidth(config)],
      ["1", 1],
      "convKernel",
    ],
  }),
  complete: (config) => {
    const { numHeads, hiddenSize, nGroups, expand } = config;
    if (hiddenSize * expand !== innerWidth(config)) {
      fail(
        "Mamba2Config",
        `hiddenSize * expand (${hiddenSize * expand}) must be numHeads * headDim ` +
          `(${innerWidth(config)})`,
      );
    }
    if (numHeads % nGroups !== 0) {
      fail("Mamba2Config", `numHeads (${numHeads}) must be a multiple of nGroups (${nGroups})`);
    }
    return config;
  },
});

/** Channels of the mixer. */
export function innerWidth({ numHeads, headDim }: Mamba2Config): number {
  return numHeads * headDim;
}

/** Channels of the convolution: the mixer's, and how each group reads and writes its states. */
export function convWidth(config: Mamba2Config): number {
  return innerWidth(config) + 2 * config.nGroups * config.stateSize;
}

/**
 * Mamba-2 settings: those given over the defaults, which are Hugging Face's.
 * @throws ModelError for settings that cannot be.
 */
export function mamba2Config(given: Partial<Mamba2Config> = {}): Mamba2Config {
  return SETTINGS.read(given);
}

/** How checkpoints of Mamba-2 are read. */
export const mamba2Family: ModelFamily<Mamba2Config> = {
  modelType: "mamba2",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
  basePrefix: "backbone",
  renamed: [[/^backbone\.embedding\./, "backbone.embeddings."]],
};
