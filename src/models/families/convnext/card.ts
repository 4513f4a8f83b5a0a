import type { ModelCard } from "../../model/card.ts";
import type { ConvNextConfig } from "./config.ts";

/** Components of a ConvNeXt: feature maps [batch, channels, height, width], a layer being a stage. */
export type ConvNextComponent = "embedder_output" | "stage_input" | "stage_output";

// The last dimension of a feature map is its width.
const byImage = (): undefined => undefined;

/** Where the components of a ConvNeXt are, within the model without a head. */
export const convNextCard: ModelCard<ConvNextConfig, ConvNextComponent> = {
  layers: ({ depths }) => depths.length,
  components: {
    embedder_output: { path: "embeddings", side: "output", dimension: byImage },
    stage_input: { path: "encoder.stages.{layer}", side: "input", dimension: byImage },
    stage_output: { path: "encoder.stages.{layer}", side: "output", dimension: byImage },
  },
};
