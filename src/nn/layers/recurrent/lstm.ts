import { zeros } from "../../../tensor/functions/creation.ts";
import { sameShape, show } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { fail } from "../../errors.ts";
import { sigmoid, tanh } from "../../functional/activations.ts";
import type { Parameter } from "../../parameter.ts";
import { Activation } from "../activation.ts";
import { Identity } from "../identity.ts";
import { requireSizes } from "../require-sizes.ts";
import {
  type CellOptions,
  type CellParameters,
  ownParameters,
  projections,
  startState,
} from "./cell-parameters.ts";
import { Projection } from "./projection.ts";
import { RecurrentLayer, type RecurrentOptions } from "./recurrent-layer.ts";
import { RecurrentStep } from "./recurrent-step.ts";
import type { Lengths } from "./row-lengths.ts";

const GATES = 4;

/** The output h and the cell state c of an LSTM. */
export type LSTMState = readonly [h: Tensor, c: Tensor];

/**
 * One step of an LSTM: c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c'), for the quarters i, f, g, o of
 * the sum of two projections. Hochreiter and Schmidhuber, "Long short-term memory" (1997).
 */
abstract class LSTMStep extends RecurrentStep<Projection> {
  /** The activation of the input gate. */
  readonly input_act: Activation;
  /** The activation of the forget gate. */
  readonly forget_act: Activation;
  /** The activation of what is added to the cell state. */
  readonly new_act: Activation;
  /** The activation of the output gate. */
  readonly output_act: Activation;
  /** [batch, hidden]: the cell state c after the step; what is written here goes on, and to h. */
  readonly cell_state: Identity;
  /** `[batch, hidden] -> [batch, out]`: where outputs are projected. */
  readonly projection: Projection | undefined;

  constructor(p: CellParameters) {
    super(projections(p));
    this.input_act = new Activation("sigmoid", sigmoid);
    this.forget_act = new Activation("sigmoid", sigmoid);
    this.new_act = new Activation("tanh", tanh);
    this.output_act = new Activation("sigmoid", sigmoid);
    this.cell_state = new Identity();
    this.projection = p.weight_hr && new Projection(p.weight_hr, undefined);
  }

  /**
   * The output h and the cell state c after an input, [batch, out] and [batch, hidden].
   * @param x [batch, in]
   * @param before the same, before it. @default zeros
   */
  override forward(x: Tensor, before?: LSTMState): [h: Tensor, c: Tensor] {
    const h = startState(this, x, before?.[0]);
    const c = this.#startCell(h, before?.[1]);
    const sum = this.x2h.forward(x).add(this.h2h.forward(h));
    const [i, f, g, o] = sum.chunk(GATES, -1) as [Tensor, Tensor, Tensor, Tensor];
    const kept = this.forget_act.forward(f).mul(c);
    const added = this.input_act.forward(i).mul(this.new_act.forward(g));
    const cell = this.cell_state.forward(kept.add(added));
    const output = this.output_act.forward(o).mul(cell.tanh());
    return [this.projection?.forward(output) ?? output, cell];
  }

  #startCell(h: Tensor, c: Tensor | undefined): Tensor {
    const wanted = [h.size(0), (this.h2h.widthAt("output") ?? 0) / GATES];
    if (c === undefined) return zeros(wanted);
    if (sameShape(c.shape, wanted)) return c;
    const name = this.constructor.name;
    return fail(name, `forward takes a cell state [batch, hidden], ${show(wanted)}, got ${show(c.shape)}`); // prettier-ignore
  }
}

/**
 * One step of an LSTM, as torch.nn.LSTMCell: `forward(x, [h, c])` gives the next `[h, c]`.
 *
 * Its output is h. Places inside, each [batch, width]: `cell_state` (c), `x2h` and `h2h` (the two
 * projections), `input_act`, `forget_act`, `new_act` and `output_act`.
 *
 * @example
 * ```ts
 * import { LSTMCell, ones } from "tsvene";
 * const cell = new LSTMCell(8, 16);
 * const [h, c] = cell.forward(ones([2, 8]));
 * console.log(cell.forward(ones([2, 8]), [h, c])[0].shape); // [2, 16]
 * ```
 */
export class LSTMCell extends LSTMStep {
  /** [4 × hidden, input]: of the input, forget, new and output parts. */
  readonly weight_ih: Parameter;
  /** [4 × hidden, hidden] */
  readonly weight_hh: Parameter;
  /** [4 × hidden] */
  readonly bias_ih: Parameter | undefined;
  /** [4 × hidden] */
  readonly bias_hh: Parameter | undefined;

  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    const sizes = { gates: GATES, input: inputSize, hidden: hiddenSize };
    const p = ownParameters("LSTMCell", sizes, options);
    super(p);
    this.weight_ih = p.weight_ih;
    this.weight_hh = p.weight_hh;
    this.bias_ih = p.bias_ih;
    this.bias_hh = p.bias_hh;
  }
}

/** The cell of one layer, which has the parameters. */
class LSTMLayerCell extends LSTMStep {}

/** Options of {@link LSTM}. */
export interface LSTMOptions extends RecurrentOptions {
  /** Width that outputs are projected to; 0 for none. @default 0 */
  readonly projSize?: number;
}

/** What an {@link LSTM} is given beside the inputs. */
export interface LSTMInputs {
  /**
   * The state to start from: h [layers × directions, batch, out] and c [layers × directions, batch,
   * hidden]. @default zeros
   */
  readonly state?: LSTMState | undefined;
  /** How many steps of each row are real. @default all */
  readonly lengths?: Lengths | undefined;
}

/**
 * Layers of long short-term memory, as torch.nn.LSTM: the same parameters by the same names, which
 * start alike. Inputs and outputs are [batch, steps, width] here, unless `batchFirst: false` says
 * otherwise.
 *
 * With unit "t", `lstm.cells[0].output` is a layer's output h at each step, and
 * `lstm.cells[0].cell_state.output` its cell state c.
 *
 * @example
 * ```ts
 * import { LSTM, ones } from "tsvene";
 * const lstm = new LSTM(8, 16);
 * const [output, [h, c]] = lstm.forward(ones([4, 5, 8]), { lengths: [5, 3, 2, 5] });
 * console.log(output.shape, h.shape, c.shape); // [4, 5, 16] [1, 4, 16] [1, 4, 16]
 * ```
 */
export class LSTM extends RecurrentLayer<LSTMLayerCell> {
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    const { projSize = 0, ...rest } = options;
    requireSizes("LSTM", { projSize });
    if (projSize > 0 && projSize >= hiddenSize) {
      fail("LSTM", `projSize ${projSize} must be below hiddenSize ${hiddenSize}`);
    }
    const projected = projSize === 0 ? undefined : projSize;
    const sizes = { gates: GATES, input: inputSize, hidden: hiddenSize, projected };
    const makeCell = (p: CellParameters): LSTMLayerCell => new LSTMLayerCell(p);
    super({ name: "LSTM", ...sizes, states: 2, makeCell }, rest);
  }

  /**
   * The top layer's output at each step, [batch, steps, directions × out], and the states of every
   * layer and direction after its last step, [layers × directions, batch, width] each.
   */
  override forward(
    x: Tensor,
    { state, lengths }: LSTMInputs = {},
  ): [output: Tensor, state: [h: Tensor, c: Tensor]] {
    const call = { initial: [state?.[0], state?.[1]], lengths };
    const { output, final } = this.run(x, call, (cell, y, last) =>
      cell.forward(y, last as [Tensor, Tensor]),
    );
    return [output, final as [Tensor, Tensor]];
  }
}
