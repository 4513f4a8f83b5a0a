import type { ModelCard } from "../../model/card.ts";
import type { ResNetConfig } from "./config.ts";

/** Components of a ResNet: feature maps [batch, channels, height, width], a layer being a stage. */
export type ResNetComponent = "embedder_output" | "stage_input" | "stage_output" | "pooler_output";

// The last dimension of a feature map is its width.
const byImage = (): undefined => undefined;

/** Where the components of a ResNet are, within the model without a head. */
export const resNetCard: ModelCard<ResNetConfig, ResNetComponent> = {
  layers: ({ depths }) => depths.length,
  components: {
    embedder_output: { path: "embedder", side: "output", dimension: byImage },
    stage_input: { path: "encoder.stages.{layer}", side: "input", dimension: byImage },
    stage_output: { path: "encoder.stages.{layer}", side: "output", dimension: byImage },
    pooler_output: { path: "pooler", side: "output", dimension: () => 1 },
  },
};
