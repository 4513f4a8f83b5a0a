import type { FamilyEntry } from "./family.ts";
import { mambaCard } from "./mamba/card.ts";
import { mambaFamily } from "./mamba/config.ts";
import { MambaForCausalLM, MambaModel } from "./mamba/mamba.ts";
import { mamba2Card } from "./mamba2/card.ts";
import { mamba2Family } from "./mamba2/config.ts";
import { Mamba2ForCausalLM, Mamba2Model } from "./mamba2/mamba2.ts";
import { rwkvCard } from "./rwkv/card.ts";
import { rwkvFamily } from "./rwkv/config.ts";
import { RwkvForCausalLM, RwkvModel } from "./rwkv/rwkv.ts";

/** Families that keep a state of fixed size rather than all tokens. */
export const STATE_SPACE_FAMILIES: readonly FamilyEntry[] = [
  {
    family: mambaFamily,
    card: mambaCard,
    models: { base: MambaModel, causalLM: MambaForCausalLM },
  },
  {
    family: mamba2Family,
    card: mamba2Card,
    models: { base: Mamba2Model, causalLM: Mamba2ForCausalLM },
  },
  { family: rwkvFamily, card: rwkvCard, models: { base: RwkvModel, causalLM: RwkvForCausalLM } },
];
