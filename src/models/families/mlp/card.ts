import type { ModelCard } from "../../model/card.ts";
import type { MLPConfig } from "./config.ts";

/** Components of an MLP's layers. */
export type MLPComponent = "block_input" | "block_output" | "mlp_activation";

const width = ({ hDim }: MLPConfig): number => hDim;

/** Where the components of pyvene's MLP are, within the model without a head. */
export const mlpCard: ModelCard<MLPConfig, MLPComponent> = {
  layers: ({ nLayer }) => nLayer,
  components: {
    block_input: { path: "h.{layer}", side: "input", dimension: width },
    block_output: { path: "h.{layer}", side: "output", dimension: width },
    mlp_activation: { path: "h.{layer}.act", side: "output", dimension: width },
  },
};
