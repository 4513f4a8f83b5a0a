import type { ModelCard } from "../../model/card.ts";
import { cardWithin } from "../../model/card-within.ts";
import { llamaCard, type LlamaComponent } from "../../parts/decoder/card.ts";
import {
  attentionParts,
  type LayerPart,
  mlpParts,
  prefixedParts,
} from "../../parts/layer-components.ts";
import type { MllamaConfig, MllamaVisionConfig } from "./config.ts";

/** Components of an Mllama. Layers that look at the image have no `self_attn`. */
export type MllamaComponent = `language.${LlamaComponent}` | `${"vision" | "global"}.${LayerPart}`;

const LAYER = "layers.{layer}";
const ATTENTION = {
  input: ".self_attn",
  output: ".self_attn",
  addition: ".attention_addition",
  mixed: ".self_attn.o_proj",
  weight: ".self_attn.attn_dropout",
  query: ".self_attn.q_proj",
  key: ".self_attn.k_proj",
  value: ".self_attn.v_proj",
};
const MLP = {
  input: ".mlp",
  output: ".mlp",
  addition: ".mlp_addition",
  activation: ".mlp.activation_fn",
};
const SIZES = {
  width: ({ hiddenSize }: MllamaVisionConfig): number => hiddenSize,
  inner: ({ intermediateSize }: MllamaVisionConfig): number => intermediateSize,
  heads: ({ attentionHeads }: MllamaVisionConfig): number => attentionHeads,
};

const visionCard: ModelCard<MllamaVisionConfig, LayerPart> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts(LAYER, ATTENTION, SIZES),
    ...mlpParts(LAYER, MLP, SIZES),
  },
};

const ofVision = (path: string): ModelCard<MllamaConfig, LayerPart> =>
  cardWithin(`vision_model.${path}`, visionCard, (c: MllamaConfig) => c.visionConfig);

function cardAt(text: string): ModelCard<MllamaConfig, MllamaComponent> {
  const language = cardWithin(text, llamaCard, (c: MllamaConfig) => c.textConfig);
  return {
    layers: ({ textConfig, visionConfig }) =>
      Math.max(
        textConfig.numHiddenLayers,
        visionConfig.numHiddenLayers,
        visionConfig.numGlobalLayers,
      ),
    counts: {
      vision_model: "other",
      multi_modal_projector: "other",
      [`${text}.layers.{layer}.cross_attn.k_proj`]: "other",
      [`${text}.layers.{layer}.cross_attn.v_proj`]: "other",
    },
    components: {
      ...prefixedParts("language", language.components),
      ...prefixedParts("vision", ofVision("transformer").components),
      ...prefixedParts("global", ofVision("global_transformer").components),
    },
  };
}

/** Where the components of an Mllama without a head are; layers are counted in each of its parts. */
export const mllamaCard: ModelCard<MllamaConfig, MllamaComponent> = cardAt("language_model");

/** The same of an Mllama that writes. */
export const mllamaWriterCard: ModelCard<MllamaConfig, MllamaComponent> =
  cardAt("language_model.model");
