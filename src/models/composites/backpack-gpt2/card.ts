import type { ModelCard } from "../../model/card.ts";
import type { BackpackGPT2Config } from "./config.ts";

/** The component of a Backpack. */
export type BackpackGPT2Component = "sense_network_output";

/** Where a Backpack's senses are, [batch, senses, sequence, nEmbd], within the model without a head. */
export const backpackGpt2Card: ModelCard<BackpackGPT2Config, BackpackGPT2Component> = {
  layers: () => 1,
  components: {
    sense_network_output: {
      path: "sense_network",
      side: "output",
      dimension: ({ nEmbd }) => nEmbd,
    },
  },
};
