import { attentionWeights, type ComponentSpec, type ModelCard } from "../card.ts";
import type { BlipConfig } from "./config.ts";

/** Components of the layers of a BLIP that read text and look at the image. */
export type BlipComponent =
  | "block_input"
  | "block_output"
  | "mlp_activation"
  | "mlp_output"
  | "mlp_input"
  | "attention_value_output"
  | "head_attention_value_output"
  | "attention_weight"
  | "attention_output"
  | "attention_input"
  | "query_output"
  | "key_output"
  | "value_output"
  | "head_query_output"
  | "head_key_output"
  | "head_value_output"
  | "cross_attention_value_output"
  | "head_cross_attention_value_output"
  | "cross_attention_weight"
  | "cross_attention_output"
  | "cross_attention_input";

type Spec = ComponentSpec<BlipConfig>;

const at = (path: string, side: "input" | "output"): Spec => ({
  path: `text_encoder.encoder.layer.{layer}${path}`,
  side,
  dimension: ({ textConfig }) => textConfig.hiddenSize,
});

const ofHeads = (spec: Spec): Spec => ({
  ...spec,
  heads: ({ textConfig }) => textConfig.numAttentionHeads,
  dimension: ({ textConfig }) => textConfig.hiddenSize / textConfig.numAttentionHeads,
});

const mixed = at(".attention.output.dense", "input");
const crossMixed = at(".crossattention.output.dense", "input");
const query = at(".attention.self.query", "output");
const key = at(".attention.self.key", "output");
const value = at(".attention.self.value", "output");

const components: { readonly [K in BlipComponent]: Spec } = {
  block_input: at("", "input"),
  block_output: at("", "output"),
  // As in pyvene, what goes into the activation function, not what comes out of it.
  mlp_activation: {
    ...at(".intermediate.dense", "output"),
    dimension: ({ textConfig }) => textConfig.intermediateSize,
  },
  mlp_output: at(".output", "output"),
  mlp_input: at(".intermediate", "input"),
  attention_value_output: mixed,
  head_attention_value_output: ofHeads(mixed),
  attention_weight: attentionWeights(at(".attention.self.dropout", "input").path),
  attention_output: at(".attention.output", "output"),
  attention_input: at(".attention", "input"),
  query_output: query,
  key_output: key,
  value_output: value,
  head_query_output: ofHeads(query),
  head_key_output: ofHeads(key),
  head_value_output: ofHeads(value),
  cross_attention_value_output: crossMixed,
  head_cross_attention_value_output: ofHeads(crossMixed),
  cross_attention_weight: attentionWeights(
    at(".crossattention.self.dropout", "input").path,
    "other",
  ),
  cross_attention_output: at(".crossattention.output", "output"),
  cross_attention_input: at(".crossattention", "input"),
};

const layers = ({ textConfig }: BlipConfig): number => textConfig.numHiddenLayers;

const crossOf = (stack: string): string => `${stack}.encoder.layer.{layer}.crossattention.self`;

/** What the question's layers look at are patches of the image. */
const seen = {
  vision_model: "other",
  [`${crossOf("text_encoder")}.key`]: "other",
  [`${crossOf("text_encoder")}.value`]: "other",
} as const;

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
export const blipItmCard: ModelCard<BlipConfig, BlipComponent | "itm_output"> = {
  layers,
  counts: { ...seen, vision_proj: "other" },
  components: {
    ...components,
    itm_output: { path: "itm_head", side: "output", dimension: () => 2 },
  },
};
