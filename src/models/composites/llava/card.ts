import type { ModelCard } from "../../model/card.ts";
import { cardWithin } from "../../model/card-within.ts";
import { llamaCard, type LlamaComponent } from "../../parts/decoder/card.ts";
import type { LlavaConfig } from "./config.ts";

function cardAt(path: string): ModelCard<LlavaConfig, LlamaComponent> {
  return {
    ...cardWithin(path, llamaCard, ({ textConfig }: LlavaConfig) => textConfig),
    counts: { vision_tower: "other", multi_modal_projector: "other" },
  };
}

/** Where the components of a LLaVA's language model are, in the model without a head. */
export const llavaCard: ModelCard<LlavaConfig, LlamaComponent> = cardAt("language_model");

/** The same of a LLaVA that writes. */
export const llavaWriterCard: ModelCard<LlavaConfig, LlamaComponent> =
  cardAt("language_model.model");
