import type { ModelCard } from "../../model/card.ts";
import { type AttentionComponent, attentionComponents } from "../../parts/decoder/card.ts";
import type { MixtralConfig } from "./config.ts";

/** Components of a Mixtral's layers. */
export type MixtralComponent =
  AttentionComponent | "mlp_input" | "mlp_output" | "mlp_addition" | "router_output";

const width = ({ hiddenSize }: MixtralConfig): number => hiddenSize;

/**
 * Where the components of Mixtral are, within the model without a head. `router_output` is
 * [batch * sequence, experts], before the choice of experts.
 */
export const mixtralCard: ModelCard<MixtralConfig, MixtralComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents(),
    mlp_input: { path: "layers.{layer}.block_sparse_moe", side: "input", dimension: width },
    mlp_output: { path: "layers.{layer}.block_sparse_moe", side: "output", dimension: width },
    mlp_addition: { path: "layers.{layer}.mlp_addition", side: "output", dimension: width },
    router_output: {
      path: "layers.{layer}.block_sparse_moe.gate",
      side: "output",
      dimension: ({ numLocalExperts }) => numLocalExperts,
    },
  },
};
