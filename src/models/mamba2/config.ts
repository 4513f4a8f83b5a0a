import { TensorError } from "../../tensor/errors.ts";
import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import type { ModelFamily } from "../family.ts";
import type { TimeStepConfig } from "../state-space/init.ts";

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

const DEFAULTS: Mamba2Config = {
  modelType: "mamba2",
  numHeads: 128,
  headDim: 64,
  vocabSize: 32768,
  hiddenSize: 4096,
  stateSize: 128,
  numHiddenLayers: 64,
  layerNormEpsilon: 1e-5,
  expand: 2,
  convKernel: 4,
  nGroups: 8,
  useBias: false,
  useConvBias: true,
  hiddenAct: "silu",
  initializerRange: 0.1,
  timeStepMin: 0.001,
  timeStepMax: 0.1,
  timeStepFloor: 1e-4,
  timeStepLimit: [0, Infinity],
  rescalePrenormResidual: false,
  tieWordEmbeddings: false,
  bosTokenId: 0,
  eosTokenId: 2,
  padTokenId: 1,
};

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
 * @throws TensorError for sizes that cannot be.
 */
export function mamba2Config(given: Partial<Mamba2Config> = {}): Mamba2Config {
  const config = withDefaults(DEFAULTS, given);
  const { numHeads, headDim, vocabSize, hiddenSize, stateSize, numHiddenLayers, nGroups } = config;
  requirePositive("Mamba2Config", {
    numHeads,
    headDim,
    vocabSize,
    hiddenSize,
    stateSize,
    numHiddenLayers,
    nGroups,
    convKernel: config.convKernel,
  });
  if (hiddenSize * config.expand !== innerWidth(config)) {
    throw new TensorError(
      `Mamba2Config: hiddenSize * expand (${hiddenSize * config.expand}) must be ` +
        `numHeads * headDim (${innerWidth(config)})`,
    );
  }
  if (numHeads % nGroups !== 0) {
    throw new TensorError(
      `Mamba2Config: numHeads (${numHeads}) must be a multiple of nGroups (${nGroups})`,
    );
  }
  return config;
}

/** How checkpoints of Mamba-2 are read. */
export const mamba2Family: ModelFamily<Mamba2Config> = {
  modelType: "mamba2",
  readConfig: (fields) => mamba2Config(checkedFields("Mamba2Config", DEFAULTS, fields)),
  basePrefix: "backbone",
  renamed: [[/^backbone\.embedding\./, "backbone.embeddings."]],
};
