import { apply } from "../../tensor/ops/apply.ts";
import { traits } from "../../tensor/ops/traits.ts";
import { internal } from "../../base/errors.ts";
import { numel } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { narrowings, type Narrowing } from "./narrowings.ts";
import { halvesOf, withRows } from "./row-values.ts";

/**
 * Where the rows of a batch are in a tensor: along a dimension, which has a place for each, or as many
 * places for each as for any other, one row after the other; nowhere, the tensor being the same for all
 * (`"whole"`); or coordinates, which begin with the number of their row.
 */
export type Axis = number | "whole" | "coordinates";

/** Whether a tensor is not computed, but given, or held by a module. */
export function isGiven({ lasting, values, origin }: Tensor): boolean {
  return lasting || values !== undefined || origin === undefined || origin.keep === true;
}

/** The coordinates that an operation reads or writes at, if it is one that does. */
export function coordinatesOf({ origin }: Tensor): Tensor | undefined {
  return origin?.op === "gatherNd" || origin?.op === "scatterNd" ? origin.inputs[1] : undefined;
}

/**
 * Whether coordinates [rows, ..., depth] begin with the number of their row, as those of units do: what
 * they read or write in a row is then that row's own.
 */
export function countsRows({ values, shape }: Tensor): boolean {
  const depth = shape.at(-1) ?? 0;
  const [rows = 0] = shape;
  if (shape.length < 2 || !(values instanceof BigInt64Array) || values.length === 0) return false;
  const each = values.length / rows;
  const numbers = halvesOf(values);
  for (let i = 0; i < values.length; i += depth) {
    if (numbers[2 * i] !== Math.floor(i / each) || numbers[2 * i + 1] !== 0) return false;
  }
  return true;
}

/**
 * Where the rows of a result are in its operands; undefined where it is not known that each row is
 * computed by itself.
 *
 * @param axis - The dimension of the result with a place, or as many places, for each row.
 * @param rows - How many rows there are.
 */
export function operandAxes(t: Tensor, axis: number, rows: number): readonly Axis[] | undefined {
  const { origin } = t;
  if (origin === undefined) return undefined;
  const { op, inputs } = origin;
  const points = coordinatesOf(t);
  if (points !== undefined) {
    // Coordinates that begin with the row read and write within it.
    const own = axis === 0 && isGiven(points) && countsRows(points) && points.shape[0] === rows;
    if (!own || points.shape[0] !== inputs[0]?.shape[0]) return undefined;
    return inputs.map((_, i) => (i === 1 ? "coordinates" : 0));
  }
  if (op === "reshape") return reshapedAxis(t, axis, rows);
  const part = { dim: axis, start: 0, end: 1, step: 1 };
  const narrowing = narrowings[op] as Narrowing<unknown> | null;
  const parts = narrowing?.({ result: t, part, ...origin });
  const axes = parts && inputs.map((_, i): Axis => parts[i]?.dim ?? "whole");
  const size = t.shape[axis];
  const fits = (at: Axis, i: number): boolean =>
    typeof at !== "number" || inputs[i]?.shape[at] === size;
  return axes?.every(fits) === true ? axes : undefined;
}

/** A reshape may join a dimension of rows with those after it, or part it from them. */
function reshapedAxis(t: Tensor, axis: number, rows: number): readonly Axis[] | undefined {
  const shape = t.origin?.inputs[0]?.shape ?? [];
  const before = numel(t.shape.slice(0, axis));
  const dim = shape.findIndex((n, d) => n % rows === 0 && numel(shape.slice(0, d)) === before);
  return dim < 0 || numel(t.shape) === 0 ? undefined : [dim];
}

/**
 * The same operation on operands with other rows.
 *
 * @param change - How many rows there were, and how many there are now, along which dimension.
 */
export function onRows(
  { origin, shape }: Tensor,
  operands: readonly Tensor[],
  { axis, from, to }: { readonly axis: number; readonly from: number; readonly to: number },
): Tensor {
  const { op, attributes, sizes } = origin ?? internal("a step without an origin");
  const isShape = traits[op].sizes === "shape";
  const own = isShape ? sizes.map(() => withRows(shape, axis, from, to)) : sizes;
  return apply(op, operands, attributes, own);
}
