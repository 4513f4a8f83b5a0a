import type { ComponentSpec, ModelCard } from "../card.ts";
import { attentionParts, type LayerPart, mlpParts } from "../layer-components.ts";
import type { BlipConfig } from "./config.ts";

type CrossPart =
  | "cross_attention_value_output"
  | "head_cross_attention_value_output"
  | "cross_attention_output"
  | "cross_attention_input";

/** Components of the layers of a BLIP that read text and look at the image. */
export type BlipComponent = LayerPart | CrossPart;

const LAYER = "text_encoder.encoder.layer.{layer}";
const ATTENTION = {
  input: ".attention",
  output: ".attention.output",
  mixed: ".attention.output.dense",
  query: ".attention.self.query",
  key: ".attention.self.key",
  value: ".attention.self.value",
};
// As in pyvene, the activation is what goes into the function, not what comes out of it.
const MLP = { input: ".intermediate", output: ".output", activation: ".intermediate.dense" };
const SIZES = {
  width: ({ textConfig }: BlipConfig): number => textConfig.hiddenSize,
  inner: ({ textConfig }: BlipConfig): number => textConfig.intermediateSize,
  heads: ({ textConfig }: BlipConfig): number => textConfig.numAttentionHeads,
};

const cross = attentionParts(
  LAYER,
  {
    ...ATTENTION,
    input: ".crossattention",
    output: ".crossattention.output",
    mixed: ".crossattention.output.dense",
  },
  SIZES,
);

const components: { readonly [K in BlipComponent]: ComponentSpec<BlipConfig> } = {
  ...attentionParts(LAYER, ATTENTION, SIZES),
  ...mlpParts(LAYER, MLP, SIZES),
  cross_attention_value_output: cross.attention_value_output,
  head_cross_attention_value_output: cross.head_attention_value_output,
  cross_attention_output: cross.attention_output,
  cross_attention_input: cross.attention_input,
};

const layers = ({ textConfig }: BlipConfig): number => textConfig.numHiddenLayers;

/** Where the components of a BLIP that answers questions are. */
export const blipVqaCard: ModelCard<BlipConfig, BlipComponent> = { layers, components };

/** Where the components are of a BLIP that tells whether a text belongs to an image. */
export const blipItmCard: ModelCard<BlipConfig, BlipComponent | "itm_output"> = {
  layers,
  components: {
    ...components,
    itm_output: { path: "itm_head", side: "output", dimension: () => 2 },
  },
};
