import { requireKnownOptions } from "../../../base/known-options.ts";
import { describeValue, shown } from "../../../base/describe-value.ts";
import { constantLike, where } from "../../../tensor/functions/arithmetic.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { cat, stack } from "../../../tensor/functions/shaping.ts";
import { sameShape, show } from "../../../tensor/shape.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { fail } from "../../errors.ts";
import { dropout } from "../../functional/dropout.ts";
import { ModuleList } from "../../module-list.ts";
import { Module } from "../../module.ts";
import type { Parameter } from "../../parameter.ts";
import { requireSizes } from "../require-sizes.ts";
import { type CellParameters, cellParameters, type CellSizes } from "./cell-parameters.ts";
import { type Lengths, RowLengths } from "./row-lengths.ts";

/** Options of {@link RNN}, {@link GRU} and {@link LSTM}. */
export interface RecurrentOptions {
  /** Layers, each of which reads the outputs of the one before. @default 1 */
  readonly numLayers?: number;
  /** Whether projections have a bias. @default true */
  readonly bias?: boolean;
  /**
   * Whether inputs and outputs are [batch, steps, width], which is where interventions look for rows;
   * false for PyTorch's own default, [steps, batch, width]. @default true
   */
  readonly batchFirst?: boolean;
  /** Share of the outputs of each layer but the last that is zeroed in training mode. @default 0 */
  readonly dropout?: number;
  /** Whether each layer also reads backwards; outputs are then twice as wide. @default false */
  readonly bidirectional?: boolean;
}

const OPTIONS: Readonly<Record<keyof RecurrentOptions, true>> = {
  numLayers: true,
  bias: true,
  batchFirst: true,
  dropout: true,
  bidirectional: true,
};

/** How a kind of recurrent layer is made. */
export interface RecurrentKind<Cell extends Module> extends CellSizes {
  /** What messages call it. */
  readonly name: string;
  /** Options beyond the common ones. */
  readonly known?: Readonly<Record<string, true>>;
  /** How many tensors a state is. */
  readonly states: number;
  /** One layer's cell, which keeps the parameters to itself. */
  readonly makeCell: (parameters: CellParameters) => Cell;
}

/** What a pass of recurrent layers is given beside the inputs. */
export interface RecurrentCall {
  /** One tensor [layers × directions, batch, width] for each part of the state; zeros without. */
  readonly initial: readonly (Tensor | undefined)[];
  /** How many steps of each row are real; see {@link Lengths}. */
  readonly lengths: Lengths | undefined;
}

/** Outputs [batch, steps, width] and, for each part of the state, [layers × directions, batch, width]. */
export interface RecurrentResult {
  /** The top layer's outputs, in the order of the inputs' dimensions. */
  readonly output: Tensor;
  /** The state after the last real step, one tensor for each of its parts. */
  readonly final: readonly Tensor[];
}

/** A state: the output first, then what else is kept. */
type State = readonly Tensor[];

/** What recurrent layers share: PyTorch's parameters, layers, directions and lengths. */
export abstract class RecurrentLayer<Cell extends Module> extends Module {
  /** Parameters of layers, as PyTorch names them: `weight_ih_l0`, or `weight_ih_l0_reverse`. */
  readonly [name: `${"weight" | "bias"}_${"ih" | "hh" | "hr"}_l${string}`]: Parameter;
  /** Width of the inputs. */
  readonly inputSize: number;
  /** Width of the states. */
  readonly hiddenSize: number;
  /** Layers. */
  readonly numLayers: number;
  /** Whether dimension 0 of inputs and outputs counts texts. */
  readonly batchFirst: boolean;
  /** Share of outputs zeroed between layers in training mode. */
  readonly dropout: number;
  /** The cells, one a layer. Run once for each step: unit "t" counts the steps. */
  readonly cells: ModuleList<Cell>;
  /** The cells that read backwards: their step 0 is the last. Undefined without. */
  readonly reverseCells: ModuleList<Cell> | undefined;
  readonly #kind: RecurrentKind<Cell>;

  constructor(kind: RecurrentKind<Cell>, options: RecurrentOptions) {
    super();
    const { name, input: inputSize, hidden: hiddenSize } = kind;
    const { numLayers = 1, bias = true, bidirectional = false } = options;
    requireKnownOptions(name, options, { ...OPTIONS, ...kind.known });
    requireSizes(name, { inputSize, hiddenSize });
    if (!Number.isSafeInteger(numLayers) || numLayers < 1) {
      fail(name, `numLayers must be 1 or more, got ${shown(numLayers)}`);
    }
    this.#kind = kind;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.batchFirst = options.batchFirst ?? true;
    this.dropout = requireShare(name, options.dropout ?? 0);
    const suffixes = bidirectional ? ["", "_reverse"] : [""];
    const made = Array.from({ length: numLayers }, (_, layer) =>
      suffixes.map((suffix) => this.#makeCell(layer, suffix, bias, suffixes.length)),
    );
    const ofDirection = (d: number): Cell[] => made.flatMap((cells) => cells.slice(d, d + 1));
    this.cells = new ModuleList(ofDirection(0));
    this.reverseCells = bidirectional ? new ModuleList(ofDirection(1)) : undefined;
  }

  #makeCell(layer: number, suffix: string, bias: boolean, directions: number): Cell {
    const { input, hidden, projected, makeCell } = this.#kind;
    const width = layer === 0 ? input : directions * (projected ?? hidden);
    const parameters = cellParameters({ ...this.#kind, input: width }, bias);
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) Object.assign(this, { [`${name}_l${layer}${suffix}`]: value });
    }
    return makeCell(parameters);
  }

  /** The directions of a layer. */
  #directions(layer: number): readonly Cell[] {
    const backwards = this.reverseCells?.at(layer);
    return backwards === undefined ? [this.cells.at(layer)] : [this.cells.at(layer), backwards];
  }

  /** Runs all layers; `step` gives the state after an input, of one cell. */
  protected run(
    x: Tensor,
    { initial, lengths }: RecurrentCall,
    step: (cell: Cell, x: Tensor, state: State) => State,
  ): RecurrentResult {
    const inputs = this.#checkedInputs(x);
    const [batch = 0, count = 0] = inputs.shape;
    const real = new RowLengths(this.#kind.name, lengths, { batch, steps: count });
    const start = this.#initial(initial, batch);
    let sequence = Array.from({ length: count }, (_, t) => inputs.select(1, t));
    const finals: State[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      const before = layer === 0 ? sequence : sequence.map((y) => this.#drop(y));
      const read = this.#directions(layer).map((cell, d) => {
        const advance = (y: Tensor, state: State): State => step(cell, y, state);
        const at = start(finals.length);
        const result = readThrough(before, { state: at, real, backwards: d === 1, advance });
        finals.push(result.state);
        return result.outputs;
      });
      sequence = joined(read);
    }
    const output = stack(sequence, this.batchFirst ? 1 : 0);
    const parts = Array.from({ length: this.#kind.states }, (_, part) => part);
    return { output, final: parts.map((part) => stack(partOf(finals, part), 0)) };
  }

  #drop(x: Tensor): Tensor {
    return dropout(x, this.dropout, { training: this.training });
  }

  /** [batch, steps, input] */
  #checkedInputs(x: unknown): Tensor {
    const { name } = this.#kind;
    const order = this.batchFirst ? "batch, steps" : "steps, batch";
    const wanted = `[${order}, ${this.inputSize}]`;
    if (!(x instanceof Tensor)) {
      fail(name, `forward takes ${wanted}, got ${describeValue(x)}`);
    }
    if (x.ndim === 2 && x.size(1) === this.inputSize) {
      fail(name, `forward takes ${wanted}, got ${show(x.shape)}; unsqueeze(${this.batchFirst ? 0 : 1}) one text`); // prettier-ignore
    }
    if (x.ndim !== 3 || x.size(2) !== this.inputSize) {
      fail(name, `forward takes ${wanted}, got ${show(x.shape)}`);
    }
    const inputs = this.batchFirst ? x : x.transpose(0, 1);
    if (inputs.size(1) === 0) fail(name, "the sequence is empty; give at least one step");
    return inputs;
  }

  /** The state that each cell starts with, in the order of layers and then directions. */
  #initial(given: RecurrentCall["initial"], batch: number): (cell: number) => State {
    const { name, hidden, projected = hidden } = this.#kind;
    const cells = this.numLayers * (this.reverseCells === undefined ? 1 : 2);
    const widths = given.map((_, part) => (part === 0 ? projected : hidden));
    for (const [part, tensor] of given.entries()) {
      const wanted = [cells, batch, widths[part] ?? hidden];
      if (tensor === undefined || sameShape(tensor.shape, wanted)) continue;
      fail(
        name,
        `the initial state must be [layers × directions, batch, width], ${show(wanted)}, got ${show(tensor.shape)}`,
      );
    }
    const none = widths.map((width) => zeros([batch, width]));
    return (cell) => none.map((zero, part) => given[part]?.select(0, cell) ?? zero);
  }

  override widthAt(side: "input" | "output"): number {
    const { hidden, projected = hidden } = this.#kind;
    if (side === "input") return this.inputSize;
    return projected * (this.reverseCells === undefined ? 1 : 2);
  }

  override describe(): string {
    const set = [
      this.numLayers > 1 && `numLayers=${this.numLayers}`,
      !this.batchFirst && "batchFirst=false",
      this.dropout > 0 && `dropout=${this.dropout}`,
      this.reverseCells !== undefined && "bidirectional=true",
    ];
    return [this.inputSize, this.hiddenSize, ...set.filter((part) => part !== false)].join(", ");
  }
}

/** What one cell reads. */
interface Reading {
  readonly state: State;
  readonly real: RowLengths;
  readonly backwards: boolean;
  readonly advance: (x: Tensor, state: State) => State;
}

/** The outputs of a cell at each place, zero beyond a row's length, and its state in the end. */
function readThrough(
  inputs: readonly Tensor[],
  { state: start, real, backwards, advance }: Reading,
): { outputs: Tensor[]; state: State } {
  const outputs: Tensor[] = [];
  let state = start;
  for (let i = 0; i < inputs.length; i++) {
    const t = backwards ? inputs.length - 1 - i : i;
    const next = advance(inputs.slice(t, t + 1)[0] as Tensor, state);
    const isReal = real.at(t);
    const [output] = next as [Tensor];
    outputs[t] = isReal === undefined ? output : where(isReal, output, constantLike(0, output));
    state = isReal === undefined ? next : kept(isReal, next, state);
  }
  return { outputs, state };
}

function kept(isReal: Tensor, next: State, last: State): State {
  return next.map((value, part) => where(isReal, value, last[part] ?? value));
}

/** The outputs of the directions, side by side. */
function joined(directions: readonly (readonly Tensor[])[]): Tensor[] {
  const [first = [], second] = directions;
  return first.map((x, t) => (second === undefined ? x : cat([x, second[t] ?? x], -1)));
}

function partOf(states: readonly State[], part: number): Tensor[] {
  return states.flatMap((state) => state.slice(part, part + 1));
}

function requireShare(name: string, p: number): number {
  if (p >= 0 && p <= 1) return p;
  return fail(name, `dropout must lie in [0, 1], got ${shown(p)}`);
}
