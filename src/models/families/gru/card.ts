import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import type { GRUConfig } from "./config.ts";

/** Components of a GRU's layers, each [batch, width] at every time step. */
export type GRUComponent =
  | "cell_input"
  | "cell_output"
  | "reset_gate_input"
  | "reset_gate_output"
  | "update_gate_input"
  | "update_gate_output"
  | "new_gate_input"
  | "new_gate_output"
  | "x2h_output"
  | "reset_x2h_output"
  | "update_x2h_output"
  | "new_x2h_output"
  | "h2h_output"
  | "reset_h2h_output"
  | "update_h2h_output"
  | "new_h2h_output";

type Spec = ComponentSpec<GRUConfig>;

const width = ({ hDim }: GRUConfig): number => hDim;

/** A value of a cell at each step. */
const at = (path: string, side: "input" | "output"): Spec => ({
  path: `cells.{layer}${path}`,
  side,
  recurrent: true,
  dimension: width,
});

/** A third of what a projection gives: for the reset gate, the update gate and the new state. */
const third = (projection: string, index: number): Spec => ({
  ...at(projection, "output"),
  part: { index, of: 3 },
});

const fused = (projection: string): Spec => ({
  ...at(projection, "output"),
  dimension: ({ hDim }) => 3 * hDim,
});

/** Where the components of pyvene's GRU are, within the model without a head. */
export const gruCard: ModelCard<GRUConfig, GRUComponent> = {
  layers: ({ nLayer }) => nLayer,
  components: {
    cell_input: at("", "input"),
    cell_output: at("", "output"),
    reset_gate_input: at(".reset_act", "input"),
    reset_gate_output: at(".reset_act", "output"),
    update_gate_input: at(".update_act", "input"),
    update_gate_output: at(".update_act", "output"),
    new_gate_input: at(".new_act", "input"),
    new_gate_output: at(".new_act", "output"),
    x2h_output: fused(".x2h"),
    reset_x2h_output: third(".x2h", 0),
    update_x2h_output: third(".x2h", 1),
    new_x2h_output: third(".x2h", 2),
    h2h_output: fused(".h2h"),
    reset_h2h_output: third(".h2h", 0),
    update_h2h_output: third(".h2h", 1),
    new_h2h_output: third(".h2h", 2),
  },
};
