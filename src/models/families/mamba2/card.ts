import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { convWidth, innerWidth, type Mamba2Config } from "./config.ts";

/** Components of a Mamba-2's layers. */
export type Mamba2Component =
  | "block_input"
  | "block_output"
  | "mixer_input"
  | "mixer_output"
  | "mixer_addition"
  | "in_proj_output"
  | "out_proj_input"
  | "head_out_proj_input";

type Spec = ComponentSpec<Mamba2Config>;

const width = ({ hiddenSize }: Mamba2Config): number => hiddenSize;

const mixer = (path: string, side: "input" | "output", dimension: Spec["dimension"]): Spec => ({
  path: `layers.{layer}.mixer${path}`,
  side,
  dimension,
});

const mixed = mixer(".out_proj", "input", innerWidth);

/** Where the components of Mamba-2 are, within the model without a head. */
export const mamba2Card: ModelCard<Mamba2Config, Mamba2Component> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    block_input: { path: "layers.{layer}", side: "input", dimension: width },
    block_output: { path: "layers.{layer}", side: "output", dimension: width },
    mixer_input: mixer("", "input", width),
    mixer_output: mixer("", "output", width),
    mixer_addition: mixer("", "output", width),
    in_proj_output: mixer(
      ".in_proj",
      "output",
      (config) => innerWidth(config) + convWidth(config) + config.numHeads,
    ),
    out_proj_input: mixed,
    head_out_proj_input: {
      ...mixed,
      heads: ({ numHeads }) => numHeads,
      dimension: ({ headDim }) => headDim,
    },
  },
};
