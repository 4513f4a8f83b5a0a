import type { Tensor } from "../../../tensor/tensor.ts";
import type { Parameter } from "../../parameter.ts";
import { type CellOptions, ownParameters, projections } from "./cell-parameters.ts";
import { GRUStep } from "./gru-step.ts";
import type { Projection } from "./projection.ts";
import { RecurrentLayer, type RecurrentOptions } from "./recurrent-layer.ts";
import type { Lengths } from "./row-lengths.ts";

const GATES = 3;

/**
 * One step of a GRU, as torch.nn.GRUCell: `forward(x, h)` gives the state after an input.
 *
 * Places inside, each [batch, width]: `x2h` and `h2h` (the two projections), `reset_act`, `update_act`
 * and `new_act`.
 *
 * @example
 * ```ts
 * import { GRUCell, ones } from "tsvene";
 * const cell = new GRUCell(8, 16);
 * console.log(cell.forward(ones([2, 8])).shape); // [2, 16]
 * ```
 */
export class GRUCell extends GRUStep<Projection> {
  /** [3 × hidden, input]: of the reset gate, the update gate and the new state. */
  readonly weight_ih: Parameter;
  /** [3 × hidden, hidden] */
  readonly weight_hh: Parameter;
  /** [3 × hidden] */
  readonly bias_ih: Parameter | undefined;
  /** [3 × hidden] */
  readonly bias_hh: Parameter | undefined;

  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    const sizes = { gates: GATES, input: inputSize, hidden: hiddenSize };
    const p = ownParameters("GRUCell", sizes, options);
    super(projections(p));
    this.weight_ih = p.weight_ih;
    this.weight_hh = p.weight_hh;
    this.bias_ih = p.bias_ih;
    this.bias_hh = p.bias_hh;
  }
}

/** The cell of one layer of a GRU, which has the parameters. */
class GRULayerCell extends GRUStep<Projection> {}

/** What {@link RNN} and {@link GRU} are given beside the inputs. */
export interface RecurrentInputs {
  /** [layers × directions, batch, hidden]: the state to start from. @default zeros */
  readonly state?: Tensor | undefined;
  /** How many steps of each row are real. @default all */
  readonly lengths?: Lengths | undefined;
}

/**
 * Layers of gated recurrent units, as torch.nn.GRU: the same parameters by the same names, which start
 * alike, so that state dicts go both ways. Inputs and outputs are [batch, steps, width] here, unless
 * `batchFirst: false` says otherwise.
 *
 * The cell of each layer is a module that runs at every step: `rnn.cells[0].output`, with unit "t", is
 * its state, [batch, hidden]. Inside it are the places of {@link GRUCell}.
 *
 * @example
 * ```ts
 * import { GRU, ones } from "tsvene";
 * const gru = new GRU(8, 16, { numLayers: 2 });
 * const [output, state] = gru.forward(ones([4, 5, 8]));
 * console.log(output.shape, state.shape); // [4, 5, 16] [2, 4, 16]
 * ```
 */
export class GRU extends RecurrentLayer<GRULayerCell> {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(
      {
        name: "GRU",
        gates: GATES,
        input: inputSize,
        hidden: hiddenSize,
        states: 1,
        makeCell: (p) => new GRULayerCell(projections(p)),
      },
      options,
    );
  }

  /**
   * The top layer's output at each step, [batch, steps, directions × hidden], and the state of every
   * layer and direction after its last step, [layers × directions, batch, hidden].
   */
  override forward(
    x: Tensor,
    { state, lengths }: RecurrentInputs = {},
  ): [output: Tensor, state: Tensor] {
    const call = { initial: [state], lengths };
    const { output, final } = this.run(x, call, (cell, y, [h]) => [cell.forward(y, h)]);
    return [output, ...final] as [Tensor, Tensor];
  }
}
