import {
  BackpackGPT2LMHeadModel,
  BackpackGPT2Model,
} from "../families/backpack-gpt2/backpack-gpt2.ts";
import { backpackGpt2Card } from "../families/backpack-gpt2/card.ts";
import { backpackGpt2Family } from "../families/backpack-gpt2/config.ts";
import type { FamilyEntry } from "../model/family.ts";
import { gruCard } from "../families/gru/card.ts";
import { gruFamily } from "../families/gru/config.ts";
import { GRUForClassification, GRULMHeadModel, GRUModel } from "../families/gru/gru.ts";
import { mlpCard } from "../families/mlp/card.ts";
import { mlpFamily } from "../families/mlp/config.ts";
import { MLPForClassification, MLPModel } from "../families/mlp/mlp.ts";

/** The models that come from pyvene itself. */
export const PYVENE_FAMILIES: readonly FamilyEntry[] = [
  {
    family: mlpFamily,
    card: mlpCard,
    models: { base: MLPModel, sequenceClassification: MLPForClassification },
  },
  {
    family: gruFamily,
    card: gruCard,
    models: {
      base: GRUModel,
      causalLM: GRULMHeadModel,
      sequenceClassification: GRUForClassification,
    },
  },
  {
    family: backpackGpt2Family,
    card: backpackGpt2Card,
    models: { base: BackpackGPT2Model, causalLM: BackpackGPT2LMHeadModel },
  },
];
