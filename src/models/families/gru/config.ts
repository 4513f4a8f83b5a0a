import type { ModelConfig } from "../../settings/config.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PROBLEM_TYPES, type ProblemType } from "../../parts/heads.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import { count, flag, fraction, nonNegative, oneOf, whole, width } from "../../settings/kinds.ts";

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

const SETTINGS = defineSettings<GRUConfig>({
  name: "GRUConfig",
  modelType: "gru",
  rows: {
    includeEmb: flag(false),
    vocabSize: width(50257),
    maxPositionEmbeddings: width(512),
    nLayer: count(2),
    hDim: width(512),
    nLabels: whole(2),
    includeBias: flag(true),
    pdrop: fraction(0.3),
    problemType: oneOf([...PROBLEM_TYPES, null], "single_label_classification"),
    initializerRange: nonNegative(0.02),
  },
  numbered: [{ path: "cells", setting: "nLayer" }],
  shapes: ({ hDim }) => ({
    "wte.weight": ["vocabSize", "hDim"],
    "wpe.weight": ["maxPositionEmbeddings", "hDim"],
    "cells.0.x2h.weight": [["3 * hDim", 3 * hDim], "hDim"],
    "cells.0.h2h.weight": [["3 * hDim", 3 * hDim], "hDim"],
  }),
});

/**
 * Settings of a GRU: those given over pyvene's defaults.
 * @throws ModelError for settings that cannot be.
 */
export function gruConfig(given: Partial<GRUConfig> = {}): GRUConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of pyvene's GRUs are read. */
export const gruFamily: ModelFamily<GRUConfig> = {
  modelType: "gru",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
  basePrefix: "gru",
};
