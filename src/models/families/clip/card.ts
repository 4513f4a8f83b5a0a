import { type ComponentSpec, type ModelCard, partOf } from "../../model/card.ts";
import {
  attentionParts,
  type LayerPart,
  mlpParts,
  prefixedParts,
  SELF_ATTENTION,
} from "../../parts/layer-components.ts";
import type { CLIPConfig, CLIPTowerConfig } from "./config.ts";

type Tower = "text" | "vision";

/** Components of the layers of a CLIP's two encoders. */
export type CLIPComponent = `${Tower}.${LayerPart}`;

/** Those of the encoder of images. */
export type CLIPVisionComponent = `vision.${LayerPart}`;

const MLP = { input: ".mlp", output: ".mlp", addition: ".mlp", activation: ".mlp.activation_fn" };

function componentsOf(tower: Tower): { readonly [K in LayerPart]: ComponentSpec<CLIPConfig> } {
  const of = ({ textConfig, visionConfig }: CLIPConfig): CLIPTowerConfig =>
    tower === "text" ? textConfig : visionConfig;
  const sizes = {
    width: (config: CLIPConfig) => of(config).hiddenSize,
    inner: (config: CLIPConfig) => of(config).intermediateSize,
    heads: (config: CLIPConfig) => of(config).numAttentionHeads,
  };
  const layer = `${tower}_model.encoder.layers.{layer}`;
  return { ...attentionParts(layer, SELF_ATTENTION, sizes), ...mlpParts(layer, MLP, sizes) };
}

/** Where the components of a CLIP are; layers are counted in each encoder. */
export const clipCard: ModelCard<CLIPConfig, CLIPComponent> = {
  layers: ({ textConfig, visionConfig }) =>
    Math.max(textConfig.numHiddenLayers, visionConfig.numHiddenLayers),
  counts: { vision_model: "other", visual_projection: "other" },
  components: {
    ...prefixedParts("text", componentsOf("text")),
    ...prefixedParts("vision", componentsOf("vision")),
  },
};

/** Where the components of a CLIP are that has no encoder of texts. */
export const clipVisionCard: ModelCard<CLIPConfig, CLIPVisionComponent> = {
  ...partOf<CLIPVisionComponent, CLIPConfig>("vision_model", clipCard),
  layers: ({ visionConfig }) => visionConfig.numHiddenLayers,
};
