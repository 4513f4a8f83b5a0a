import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import { requireOneOf } from "../../tensor/known-options.ts";
import type { ModelFamily } from "../family.ts";
import { PROBLEM_TYPES, type ProblemType } from "../heads.ts";

/** Settings of pyvene's MLP, with its meanings and defaults. */
export interface MLPConfig extends ModelConfig {
  /** Whether there are embeddings of tokens and of positions. */
  readonly includeEmb: boolean;
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number;
  readonly nLayer: number;
  /** Width of all layers. */
  readonly hDim: number;
  readonly numClasses: number;
  readonly activationFunction: string;
  readonly pdrop: number;
  readonly problemType: ProblemType | null;
  readonly includeBias: boolean;
  /** Whether the classifier drops dimension 1 of its logits, where it is 1. */
  readonly squeezeOutput: boolean;
}

const DEFAULTS: MLPConfig = {
  modelType: "mlp",
  includeEmb: false,
  vocabSize: 50257,
  maxPositionEmbeddings: 512,
  nLayer: 2,
  hDim: 512,
  numClasses: 2,
  activationFunction: "gelu",
  pdrop: 0.3,
  problemType: "single_label_classification",
  includeBias: true,
  squeezeOutput: true,
};

/**
 * Settings of an MLP: those given over pyvene's defaults.
 * @throws TensorError for sizes that cannot be.
 */
export function mlpConfig(given: Partial<MLPConfig> = {}): MLPConfig {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, maxPositionEmbeddings, nLayer, hDim, numClasses, problemType } = config;
  requirePositive("MLPConfig", { vocabSize, maxPositionEmbeddings, nLayer, hDim, numClasses });
  if (problemType !== null) requireOneOf("MLPConfig", "problemType", problemType, PROBLEM_TYPES);
  return config;
}

/** How checkpoints of pyvene's MLPs are read. */
export const mlpFamily: ModelFamily<MLPConfig> = {
  modelType: "mlp",
  readConfig: (fields) => mlpConfig(checkedFields("MLPConfig", DEFAULTS, fields)),
  basePrefix: "mlp",
};
