import type { ModelCard } from "../card.ts";
import { cardWithin } from "../card-within.ts";
import { llamaCard, type LlamaComponent } from "../decoder/card.ts";
import type { LlavaConfig } from "./config.ts";

/** Where the components of a LLaVA's language model are. */
export const llavaCard: ModelCard<LlavaConfig, LlamaComponent> = {
  ...cardWithin("language_model.model", llamaCard, ({ textConfig }: LlavaConfig) => textConfig),
  counts: { vision_tower: "other", multi_modal_projector: "other" },
};
