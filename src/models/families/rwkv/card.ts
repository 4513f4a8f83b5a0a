import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import type { RwkvConfig } from "./config.ts";

/** Components of an RWKV's layers. */
export type RwkvComponent =
  | "block_input"
  | "block_output"
  | "attention_input"
  | "attention_output"
  | "attention_addition"
  | "attention_value_output"
  | "mlp_input"
  | "mlp_output"
  | "mlp_addition";

const at = (path: string, side: "input" | "output"): ComponentSpec<RwkvConfig> => ({
  path: `blocks.{layer}${path}`,
  side,
  dimension: ({ hiddenSize }) => hiddenSize,
});

/** Where the components of RWKV are, within the model without a head. */
export const rwkvCard: ModelCard<RwkvConfig, RwkvComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    block_input: at("", "input"),
    block_output: at("", "output"),
    attention_input: at(".attention", "input"),
    attention_output: at(".attention", "output"),
    attention_addition: at(".attention", "output"),
    attention_value_output: {
      ...at(".attention.output", "input"),
      dimension: ({ attentionHiddenSize, hiddenSize }) => attentionHiddenSize ?? hiddenSize,
    },
    mlp_input: at(".feed_forward", "input"),
    mlp_output: at(".feed_forward", "output"),
    mlp_addition: at(".feed_forward", "output"),
  },
};
