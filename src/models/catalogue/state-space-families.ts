import type { FamilyEntry } from "../model/family.ts";
import { mambaFamily } from "../families/mamba/config.ts";
import { MambaForCausalLM, MambaModel } from "../families/mamba/mamba.ts";
import { mamba2Family } from "../families/mamba2/config.ts";
import { Mamba2ForCausalLM, Mamba2Model } from "../families/mamba2/mamba2.ts";
import { rwkvFamily } from "../families/rwkv/config.ts";
import { RwkvForCausalLM, RwkvModel } from "../families/rwkv/rwkv.ts";

/** Families that keep a state of fixed size rather than all tokens. */
export const STATE_SPACE_FAMILIES: readonly FamilyEntry[] = [
  {
    family: mambaFamily,
    models: { base: MambaModel, causalLM: MambaForCausalLM },
  },
  {
    family: mamba2Family,
    models: { base: Mamba2Model, causalLM: Mamba2ForCausalLM },
  },
  { family: rwkvFamily, models: { base: RwkvModel, causalLM: RwkvForCausalLM } },
];
