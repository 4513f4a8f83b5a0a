import type { ModelConfig } from "../../settings/config.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PROBLEM_TYPES, type ProblemType } from "../../parts/heads.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  oneOf,
  whole,
  width,
} from "../../settings/kinds.ts";

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

const SETTINGS = defineSettings<MLPConfig>({
  name: "MLPConfig",
  modelType: "mlp",
  rows: {
    includeEmb: flag(false),
    vocabSize: width(50257),
    maxPositionEmbeddings: width(512),
    nLayer: count(2),
    hDim: width(512),
    numClasses: whole(2),
    activationFunction: activationName("gelu"),
    pdrop: fraction(0.3),
    problemType: oneOf([...PROBLEM_TYPES, null], "single_label_classification"),
    includeBias: flag(true),
    squeezeOutput: flag(true),
  },
  numbered: [{ path: "h", setting: "nLayer" }],
  shapes: () => ({
    "wte.weight": ["vocabSize", "hDim"],
    "wpe.weight": ["maxPositionEmbeddings", "hDim"],
    "h.0.ff1.weight": ["hDim", "hDim"],
    "h.0.ff1.bias": ["hDim"],
  }),
});

/**
 * Settings of an MLP: those given over pyvene's defaults.
 * @throws ModelError for settings that cannot be.
 */
export function mlpConfig(given: Partial<MLPConfig> = {}): MLPConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of pyvene's MLPs are read. */
export const mlpFamily: ModelFamily<MLPConfig> = {
  modelType: "mlp",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
  basePrefix: "mlp",
};
