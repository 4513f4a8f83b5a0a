import { describeValue } from "../../../base/describe-value.ts";
import { requireKnownOptions } from "../../../base/known-options.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { type Shape, show } from "../../../tensor/shape.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { fail } from "../../errors.ts";
import { uniform } from "../../init.ts";
import type { Module } from "../../module.ts";
import type { Parameter } from "../../parameter.ts";
import { initialized } from "../../without-init.ts";
import { requireSizes } from "../require-sizes.ts";
import { Projection } from "./projection.ts";

/** Options of {@link RNNCell}, {@link GRUCell} and {@link LSTMCell}. */
export interface CellOptions {
  /** Whether the projections have a bias. @default true */
  readonly bias?: boolean;
}

/** What a recurrent cell learns, under PyTorch's names. */
export interface CellParameters {
  /** [gates × hidden, input] */
  readonly weight_ih: Parameter;
  /** [gates × hidden, output] */
  readonly weight_hh: Parameter;
  /** [gates × hidden] */
  readonly bias_ih: Parameter | undefined;
  /** [gates × hidden] */
  readonly bias_hh: Parameter | undefined;
  /** [output, hidden], of an LSTM that projects its output. */
  readonly weight_hr: Parameter | undefined;
}

/** Sizes of a recurrent cell. */
export interface CellSizes {
  /** How many vectors of `hidden` the projections give. */
  readonly gates: number;
  /** Width of the inputs. */
  readonly input: number;
  /** Width of the state. */
  readonly hidden: number;
  /** Width of the output, where it is projected. */
  readonly projected?: number | undefined;
}

/** Parameters that start uniform within ±1/√hidden, as PyTorch's. */
export function cellParameters(
  { gates, input, hidden, projected }: CellSizes,
  bias: boolean,
): CellParameters {
  const bound = 1 / Math.sqrt(Math.max(1, hidden));
  const drawn = (...shape: number[]): Parameter =>
    initialized(shape, (s: Shape) => uniform(s, { low: -bound, high: bound }));
  return {
    weight_ih: drawn(gates * hidden, input),
    weight_hh: drawn(gates * hidden, projected ?? hidden),
    bias_ih: bias ? drawn(gates * hidden) : undefined,
    bias_hh: bias ? drawn(gates * hidden) : undefined,
    weight_hr: projected === undefined ? undefined : drawn(projected, hidden),
  };
}

/** The two projections of a cell: of its input, and of its last output. */
export function projections(p: CellParameters): readonly [x2h: Projection, h2h: Projection] {
  return [new Projection(p.weight_ih, p.bias_ih), new Projection(p.weight_hh, p.bias_hh)];
}

/** What a cell of its own is made with: PyTorch's parameters, once sizes and options are checked. */
export function ownParameters(
  name: string,
  sizes: CellSizes,
  options: CellOptions,
): CellParameters {
  requireSizes(name, { inputSize: sizes.input, hiddenSize: sizes.hidden });
  requireKnownOptions(name, options, { bias: true });
  return cellParameters(sizes, options.bias ?? true);
}

/** A cell, with the projections that say how wide its inputs and states are. */
interface Cell extends Module {
  readonly x2h: Module;
  readonly h2h: Module;
}

/**
 * The output that a cell goes on from: the given one, or zeros for the rows of `x`.
 * @throws ModelError unless `x` is [batch, in] and the output [batch, out].
 */
export function startState(cell: Cell, x: Tensor, before: Tensor | undefined): Tensor {
  const { x2h, h2h, constructor } = cell;
  const [input = 0, hidden = 0] = [x2h.widthAt("input"), h2h.widthAt("input")];
  requireRows(constructor.name, "an input", x, input);
  if (before === undefined) return zeros([x.size(0), hidden]);
  requireRows(constructor.name, "a state", before, hidden);
  return before;
}

function requireRows(cell: string, what: string, x: unknown, width: number): void {
  if (x instanceof Tensor && x.ndim === 2 && x.size(1) === width) return;
  const got = x instanceof Tensor ? show(x.shape) : describeValue(x);
  fail(cell, `forward takes ${what} [batch, ${width}], got ${got}`);
}
