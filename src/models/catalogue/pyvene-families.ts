import {
  BackpackGPT2LMHeadModel,
  BackpackGPT2Model,
} from "../families/backpack-gpt2/backpack-gpt2.ts";
import { backpackGpt2Family } from "../families/backpack-gpt2/config.ts";
import type { FamilyEntry } from "../model/family.ts";
import { gruFamily } from "../families/gru/config.ts";
import { GRUForClassification, GRULMHeadModel, GRUModel } from "../families/gru/gru.ts";
import { mlpFamily } from "../families/mlp/config.ts";
import { MLPForClassification, MLPModel } from "../families/mlp/mlp.ts";

/** The models that come from pyvene itself. */
export const PYVENE_FAMILIES: readonly FamilyEntry[] = [
  {
    family: mlpFamily,
    models: { base: MLPModel, sequenceClassification: MLPForClassification },
  },
  {
    family: gruFamily,
    models: {
      base: GRUModel,
      causalLM: GRULMHeadModel,
      sequenceClassification: GRUForClassification,
    },
  },
  {
    family: backpackGpt2Family,
    models: { base: BackpackGPT2Model, causalLM: BackpackGPT2LMHeadModel },
  },
];
