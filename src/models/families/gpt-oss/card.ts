import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { type AttentionComponent, attentionComponents } from "../../parts/decoder/card.ts";
import type { GptOssConfig } from "./config.ts";

/** Components of a gpt-oss's layers. */
export type GptOssComponent =
  | AttentionComponent
  | "mlp_input"
  | "mlp_output"
  | "mlp_addition"
  | "router_input"
  | "router_output"
  | "expert_input"
  | "expert_output";

const at = (module: string, side: "input" | "output"): ComponentSpec<GptOssConfig> => ({
  path: `layers.{layer}.${module}`,
  side,
  dimension: ({ hiddenSize }) => hiddenSize,
});

/**
 * Where the components of gpt-oss are, within the model without a head. Those of the router and of
 * the experts are [batch * sequence, ...]; `router_output` is before the choice of experts.
 */
export const gptOssCard: ModelCard<GptOssConfig, GptOssComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents(),
    mlp_input: at("mlp", "input"),
    mlp_output: at("mlp", "output"),
    mlp_addition: at("mlp_addition", "output"),
    router_input: at("mlp.router", "input"),
    router_output: {
      ...at("mlp.router", "output"),
      dimension: ({ numLocalExperts }) => numLocalExperts,
    },
    expert_input: at("mlp.experts", "input"),
    expert_output: at("mlp.experts", "output"),
  },
};
