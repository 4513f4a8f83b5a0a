import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import { requireOneOf } from "../../tensor/known-options.ts";
import type { ModelFamily } from "../family.ts";
import { PROBLEM_TYPES, type ProblemType } from "../heads.ts";

/** Settings of pyvene's GRU, with its meanings and defaults. */
export interface GRUConfig extends ModelConfig {
  /** Whether there are embeddings of tokens and of positions. */
  readonly includeEmb: boolean;
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number;
  readonly nLayer: number;
  /** Width of inputs and states. */
  readonly hDim: number;
  readonly nLabels: number;
  readonly includeBias: boolean;
  /** Kept for checkpoints: the model has no dropout. */
  readonly pdrop: number;
  readonly problemType: ProblemType | null;
  /** Standard deviation that embeddings start with. */
  readonly initializerRange: number;
}

const DEFAULTS: GRUConfig = {
  modelType: "gru",
  includeEmb: false,
  vocabSize: 50257,
  maxPositionEmbeddings: 512,
  nLayer: 2,
  hDim: 512,
  nLabels: 2,
  includeBias: true,
  pdrop: 0.3,
  problemType: "single_label_classification",
  initializerRange: 0.02,
};

/**
 * Settings of a GRU: those given over pyvene's defaults.
 * @throws TensorError for sizes that cannot be.
 */
export function gruConfig(given: Partial<GRUConfig> = {}): GRUConfig {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, maxPositionEmbeddings, nLayer, hDim, nLabels, problemType } = config;
  requirePositive("GRUConfig", { vocabSize, maxPositionEmbeddings, nLayer, hDim, nLabels });
  if (problemType !== null) requireOneOf("GRUConfig", "problemType", problemType, PROBLEM_TYPES);
  return config;
}

/** How checkpoints of pyvene's GRUs are read. */
export const gruFamily: ModelFamily<GRUConfig> = {
  modelType: "gru",
  readConfig: (fields) => gruConfig(checkedFields("GRUConfig", DEFAULTS, fields)),
  basePrefix: "gru",
};
