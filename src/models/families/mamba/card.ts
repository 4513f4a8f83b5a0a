import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { innerWidth, type MambaConfig, timeStepRank } from "./config.ts";

/** Components of a Mamba's layers. */
export type MambaComponent =
  | "block_input"
  | "block_output"
  | "mixer_input"
  | "mixer_output"
  | "mixer_addition"
  | "in_proj_output"
  | "x_proj_output"
  | "out_proj_input";

type Spec = ComponentSpec<MambaConfig>;

const width = ({ hiddenSize }: MambaConfig): number => hiddenSize;

const mixer = (path: string, side: "input" | "output", dimension: Spec["dimension"]): Spec => ({
  path: `layers.{layer}.mixer${path}`,
  side,
  dimension,
});

/** Where the components of Mamba are, within the model without a head. */
export const mambaCard: ModelCard<MambaConfig, MambaComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    block_input: { path: "layers.{layer}", side: "input", dimension: width },
    block_output: { path: "layers.{layer}", side: "output", dimension: width },
    mixer_input: mixer("", "input", width),
    mixer_output: mixer("", "output", width),
    mixer_addition: mixer("", "output", width),
    in_proj_output: mixer(".in_proj", "output", (config) => 2 * innerWidth(config)),
    x_proj_output: mixer(
      ".x_proj",
      "output",
      (config) => timeStepRank(config) + 2 * config.stateSize,
    ),
    out_proj_input: mixer(".out_proj", "input", innerWidth),
  },
};
