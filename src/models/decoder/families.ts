import type { ModelCard } from "../card.ts";
import type { FamilyModels, ModelFamily } from "../family.ts";
import { llamaFamily } from "../llama/config.ts";
import { LlamaForCausalLM, LlamaForSequenceClassification, LlamaModel } from "../llama/llama.ts";
import { llamaCard } from "./card.ts";

/** A family of decoders, its classes, and the card of the one without a head. */
export interface DecoderEntry {
  readonly family: ModelFamily;
  readonly card: ModelCard<never>;
  readonly models: FamilyModels;
}

/** The decoders that are put together of the parts in this folder. */
export const DECODER_FAMILIES: readonly DecoderEntry[] = [
  {
    family: llamaFamily,
    card: llamaCard,
    models: {
      base: LlamaModel,
      causalLM: LlamaForCausalLM,
      sequenceClassification: LlamaForSequenceClassification,
    },
  },
];
