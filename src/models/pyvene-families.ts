import { BackpackGPT2LMHeadModel, BackpackGPT2Model } from "./backpack-gpt2/backpack-gpt2.ts";
import { backpackGpt2Card } from "./backpack-gpt2/card.ts";
import { backpackGpt2Family } from "./backpack-gpt2/config.ts";
import type { FamilyEntry } from "./family.ts";
import { gruCard } from "./gru/card.ts";
import { gruFamily } from "./gru/config.ts";
import { GRUForClassification, GRULMHeadModel, GRUModel } from "./gru/gru.ts";
import { mlpCard } from "./mlp/card.ts";
import { mlpFamily } from "./mlp/config.ts";
import { MLPForClassification, MLPModel } from "./mlp/mlp.ts";

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
