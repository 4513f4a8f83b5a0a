import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { attentionParts, type LayerPart, mlpParts } from "../../parts/layer-components.ts";
import type { BlipConfig } from "./config.ts";

type CrossPart =
  | "cross_attention_value_output"
  | "head_cross_attention_value_output"
  | "cross_attention_weight"
  | "cross_attention_output"
  | "cross_attention_addition"
  | "cross_attention_input";

/** Components of the layers of a BLIP that read text and look at the image. */
export type BlipComponent = LayerPart | CrossPart;

/** The same, and what tells whether a text belongs to an image. */
export type BlipItmComponent = BlipComponent | "itm_output";

const layerOf = (stack: string): string => `${stack}.encoder.layer.{layer}`;
const ATTENTION = {
  input: ".attention",
  output: ".attention.output",
  addition: ".attention.output.dropout",
  mixed: ".attention.output.dense",
  weight: ".attention.self.dropout",
  query: ".attention.self.query",
  key: ".attention.self.key",
  value: ".attention.self.value",
};
// As in pyvene, the activation is what goes into the function, not what comes out of it.
const MLP = {
  input: ".intermediate",
  output: ".output",
  addition: ".output.dropout",
  activation: ".intermediate.dense",
};
const SIZES = {
  width: ({ textConfig }: BlipConfig): number => textConfig.hiddenSize,
  inner: ({ textConfig }: BlipConfig): number => textConfig.intermediateSize,
  heads: ({ textConfig }: BlipConfig): number => textConfig.numAttentionHeads,
};

const partsOf = (stack: string): { readonly [K in LayerPart]: ComponentSpec<BlipConfig> } => ({
  ...attentionParts(layerOf(stack), ATTENTION, SIZES),
  ...mlpParts(layerOf(stack), MLP, SIZES),
});

const cross = attentionParts(
  layerOf("text_encoder"),
  {
    ...ATTENTION,
    input: ".crossattention",
    output: ".crossattention.output",
    addition: ".crossattention.output.dropout",
    mixed: ".crossattention.output.dense",
    weight: ".crossattention.self.dropout",
  },
  SIZES,
);

const components: { readonly [K in BlipComponent]: ComponentSpec<BlipConfig> } = {
  ...partsOf("text_encoder"),
  cross_attention_value_output: cross.attention_value_output,
  head_cross_attention_value_output: cross.head_attention_value_output,
  cross_attention_weight: { ...cross.attention_weight, keys: "other" },
  cross_attention_output: cross.attention_output,
  cross_attention_addition: cross.attention_addition,
  cross_attention_input: cross.attention_input,
};

const layers = ({ textConfig }: BlipConfig): number => textConfig.numHiddenLayers;

const crossOf = (stack: string): string => `${layerOf(stack)}.crossattention.self`;

/** What the question's layers look at are patches of the image. */
const seen = {
  vision_model: "other",
  [`${crossOf("text_encoder")}.key`]: "other",
  [`${crossOf("text_encoder")}.value`]: "other",
} as const;

/** Where the components of a BLIP without a head are: those of its encoder of texts. */
export const blipCard: ModelCard<BlipConfig, LayerPart> = {
  layers,
  counts: { vision_model: "other", visual_projection: "other" },
  components: partsOf("text_model"),
};

/** Where the components of a BLIP that answers questions are. */
export const blipVqaCard: ModelCard<BlipConfig, BlipComponent> = {
  layers,
  counts: {
    ...seen,
    text_encoder: "source",
    text_decoder: "target",
    [`${crossOf("text_decoder.bert")}.key`]: "source",
    [`${crossOf("text_decoder.bert")}.value`]: "source",
  },
  components,
};

/** Where the components are of a BLIP that tells whether a text belongs to an image. */
export const blipItmCard: ModelCard<BlipConfig, BlipItmComponent> = {
  layers,
  counts: { ...seen, vision_proj: "other" },
  components: {
    ...components,
    itm_output: { path: "itm_head", side: "output", dimension: () => 2 },
  },
};
