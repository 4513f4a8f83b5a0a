import type { ModelCard } from "../../model/card.ts";
import { attentionParts, type LayerPart, mlpParts } from "../../parts/layer-components.ts";
import type { ViTConfig } from "./config.ts";

/** Components of a vision transformer's layers; positions are the image as a whole, then patches. */
export type ViTComponent = LayerPart;

const LAYER = "encoder.layer.{layer}";
const ATTENTION = {
  input: ".attention",
  output: ".attention",
  addition: ".attention",
  mixed: ".attention.output.dense",
  weight: ".attention.attention.dropout",
  query: ".attention.attention.query",
  key: ".attention.attention.key",
  value: ".attention.attention.value",
};
const MLP = {
  input: ".intermediate",
  output: ".output.dense",
  addition: ".output",
  activation: ".intermediate.intermediate_act_fn",
};
const SIZES = {
  width: ({ hiddenSize }: ViTConfig): number => hiddenSize,
  inner: ({ intermediateSize }: ViTConfig): number => intermediateSize,
  heads: ({ numAttentionHeads }: ViTConfig): number => numAttentionHeads,
};

/** Where the components of a vision transformer are, within the model without a head. */
export const viTCard: ModelCard<ViTConfig, ViTComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts(LAYER, ATTENTION, SIZES),
    ...mlpParts(LAYER, MLP, SIZES),
    attention_weight: {
      path: `${LAYER}.attention.attention.dropout`,
      side: "input",
      headsFirst: true,
      dimension: ({ imageSize, patchSize }) => Math.floor(imageSize / patchSize) ** 2 + 1,
    },
  },
};
