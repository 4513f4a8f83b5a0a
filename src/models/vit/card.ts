import type { ComponentSpec, ModelCard } from "../card.ts";
import type { ViTConfig } from "./config.ts";

/** Components of a vision transformer's layers; positions are the image as a whole, then patches. */
export type ViTComponent =
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
  | "head_value_output";

type Spec = ComponentSpec<ViTConfig>;

const width = ({ hiddenSize }: ViTConfig): number => hiddenSize;

const at = (path: string, side: "input" | "output"): Spec => ({
  path: `encoder.layer.{layer}${path}`,
  side,
  dimension: width,
});

const ofHeads = (spec: Spec): Spec => ({
  ...spec,
  heads: ({ numAttentionHeads }) => numAttentionHeads,
  dimension: ({ hiddenSize, numAttentionHeads }) => hiddenSize / numAttentionHeads,
});

const mixed = at(".attention.output.dense", "input");
const query = at(".attention.attention.query", "output");
const key = at(".attention.attention.key", "output");
const value = at(".attention.attention.value", "output");

/** Where the components of a vision transformer are, within the model without a head. */
export const viTCard: ModelCard<ViTConfig, ViTComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    block_input: at("", "input"),
    block_output: at("", "output"),
    mlp_activation: {
      ...at(".intermediate.intermediate_act_fn", "output"),
      dimension: ({ intermediateSize }) => intermediateSize,
    },
    mlp_output: at(".output.dense", "output"),
    mlp_input: at(".intermediate", "input"),
    attention_value_output: mixed,
    head_attention_value_output: ofHeads(mixed),
    attention_weight: {
      ...at(".attention.attention.dropout", "input"),
      headsFirst: true,
      dimension: ({ imageSize, patchSize }) => Math.floor(imageSize / patchSize) ** 2 + 1,
    },
    attention_output: at(".attention", "output"),
    attention_input: at(".attention", "input"),
    query_output: query,
    key_output: key,
    value_output: value,
    head_query_output: ofHeads(query),
    head_key_output: ofHeads(key),
    head_value_output: ofHeads(value),
  },
};
