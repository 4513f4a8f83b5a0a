import {
  checkedFields,
  type JsonValue,
  type ModelConfig,
  requirePositive,
  withDefaults,
} from "../config.ts";
import type { ModelFamily } from "../family.ts";
import type { TimeStepConfig } from "../state-space/init.ts";

/** Settings of a Mamba, with Hugging Face's meanings and defaults. */
export interface MambaConfig extends ModelConfig, TimeStepConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Numbers in the state of each channel. */
  readonly stateSize: number;
  readonly numHiddenLayers: number;
  readonly layerNormEpsilon: number;
  /** Channels of the mixer, in multiples of hiddenSize. */
  readonly expand: number;
  readonly convKernel: number;
  readonly useBias: boolean;
  readonly useConvBias: boolean;
  readonly hiddenAct: string;
  readonly initializerRange: number;
  /** Width of what lengths of steps are computed from; "auto" stands for hiddenSize / 16. */
  readonly timeStepRank: number | "auto";
  readonly timeStepScale: number;
  readonly timeStepInitScheme: string;
  readonly rescalePrenormResidual: boolean;
  readonly tieWordEmbeddings: boolean;
}

const DEFAULTS: MambaConfig = {
  modelType: "mamba",
  vocabSize: 50280,
  hiddenSize: 768,
  stateSize: 16,
  numHiddenLayers: 32,
  layerNormEpsilon: 1e-5,
  expand: 2,
  convKernel: 4,
  useBias: false,
  useConvBias: true,
  hiddenAct: "silu",
  initializerRange: 0.1,
  timeStepRank: "auto",
  timeStepScale: 1,
  timeStepInitScheme: "random",
  timeStepMin: 0.001,
  timeStepMax: 0.1,
  timeStepFloor: 1e-4,
  rescalePrenormResidual: false,
  tieWordEmbeddings: true,
  bosTokenId: 0,
  eosTokenId: 0,
  padTokenId: 0,
};

/** Channels of the mixer. */
export function innerWidth({ expand, hiddenSize }: MambaConfig): number {
  return Math.floor(expand * hiddenSize);
}

/** The rank that "auto" stands for too. */
export function timeStepRank({ timeStepRank: rank, hiddenSize }: MambaConfig): number {
  return rank === "auto" ? Math.ceil(hiddenSize / 16) : rank;
}

/**
 * Mamba settings: those given over the defaults, which are Hugging Face's.
 * @throws TensorError for sizes that cannot be.
 */
export function mambaConfig(given: Partial<MambaConfig> = {}): MambaConfig {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, hiddenSize, stateSize, numHiddenLayers, convKernel } = config;
  requirePositive("MambaConfig", {
    vocabSize,
    hiddenSize,
    stateSize,
    numHiddenLayers,
    convKernel,
    timeStepRank: timeStepRank(config),
    "expand * hiddenSize": innerWidth(config),
  });
  return config;
}

/** A rank may be a number or "auto", so it is compared with either. */
function read(fields: Readonly<Record<string, JsonValue>>): MambaConfig {
  const rank = typeof fields["timeStepRank"] === "number" ? 1 : "auto";
  return mambaConfig(checkedFields("MambaConfig", { ...DEFAULTS, timeStepRank: rank }, fields));
}

/** How checkpoints of Mamba are read. */
export const mambaFamily: ModelFamily<MambaConfig> = {
  modelType: "mamba",
  readConfig: read,
  basePrefix: "backbone",
  // The first checkpoints' name.
  renamed: [[/^backbone\.embedding\./, "backbone.embeddings."]],
};
