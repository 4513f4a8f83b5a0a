import { requireOneOf } from "../../../base/known-options.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { relu, tanh } from "../../functional/activations.ts";
import type { Parameter } from "../../parameter.ts";
import { Activation } from "../activation.ts";
import {
  type CellOptions,
  type CellParameters,
  ownParameters,
  projections,
  startState,
} from "./cell-parameters.ts";
import type { RecurrentInputs } from "./gru.ts";
import type { Projection } from "./projection.ts";
import { RecurrentLayer, type RecurrentOptions } from "./recurrent-layer.ts";
import { RecurrentStep } from "./recurrent-step.ts";

/** What a plain recurrent cell makes of its sum. */
export type Nonlinearity = "tanh" | "relu";

const NONLINEARITIES = { tanh, relu } as const satisfies Record<Nonlinearity, unknown>;

/** One step of a plain recurrent layer: f(W x + b + V h + c). Elman, "Finding structure in time" (1990). */
abstract class RNNStep extends RecurrentStep<Projection> {
  /** The activation of the new state. */
  readonly act: Activation;

  constructor(p: CellParameters, nonlinearity: Nonlinearity) {
    super(projections(p));
    this.act = new Activation(nonlinearity, NONLINEARITIES[nonlinearity]);
  }

  /**
   * The state after an input, [batch, hidden].
   * @param x [batch, in]
   * @param before [batch, hidden]: the state before it. @default zeros
   */
  override forward(x: Tensor, before?: Tensor): Tensor {
    const h = startState(this, x, before);
    return this.act.forward(this.x2h.forward(x).add(this.h2h.forward(h)));
  }
}

/** Options of {@link RNNCell}. */
export interface RNNCellOptions extends CellOptions {
  /** @default "tanh" */
  readonly nonlinearity?: Nonlinearity;
}

/**
 * One step of a plain recurrent layer, as torch.nn.RNNCell. Places inside, each [batch, hidden]: `x2h`
 * and `h2h` (the two projections) and `act`.
 */
export class RNNCell extends RNNStep {
  /** [hidden, input] */
  readonly weight_ih: Parameter;
  /** [hidden, hidden] */
  readonly weight_hh: Parameter;
  /** [hidden] */
  readonly bias_ih: Parameter | undefined;
  /** [hidden] */
  readonly bias_hh: Parameter | undefined;

  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    const { nonlinearity = "tanh", ...rest } = options;
    const sizes = { gates: 1, input: inputSize, hidden: hiddenSize };
    const p = ownParameters("RNNCell", sizes, rest);
    super(p, checked("RNNCell", nonlinearity));
    this.weight_ih = p.weight_ih;
    this.weight_hh = p.weight_hh;
    this.bias_ih = p.bias_ih;
    this.bias_hh = p.bias_hh;
  }
}

/** The cell of one layer, which has the parameters. */
class RNNLayerCell extends RNNStep {}

/** Options of {@link RNN}. */
export interface RNNOptions extends RecurrentOptions {
  /** @default "tanh" */
  readonly nonlinearity?: Nonlinearity;
}

/**
 * Plain recurrent layers, as torch.nn.RNN, with its parameters. Inputs and outputs are
 * [batch, steps, width] here, unless `batchFirst: false` says otherwise. `rnn.cells[0].output`, with
 * unit "t", is a layer's state at each step.
 *
 * @example
 * ```ts
 * import { ones, RNN } from "tsvene";
 * const [output] = new RNN(8, 16, { bidirectional: true }).forward(ones([4, 5, 8]));
 * console.log(output.shape); // [4, 5, 32]
 * ```
 */
export class RNN extends RecurrentLayer<RNNLayerCell> {
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    const { nonlinearity = "tanh", ...rest } = options;
    const name = "RNN";
    const kind = checked(name, nonlinearity);
    const makeCell = (p: CellParameters): RNNLayerCell => new RNNLayerCell(p, kind);
    super({ name, gates: 1, input: inputSize, hidden: hiddenSize, states: 1, makeCell }, rest);
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

function checked(name: string, nonlinearity: Nonlinearity): Nonlinearity {
  requireOneOf(name, "nonlinearity", nonlinearity, Object.keys(NONLINEARITIES));
  return nonlinearity;
}
