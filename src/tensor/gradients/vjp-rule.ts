import { apply } from "../ops/apply.ts";
import { cast, constant } from "../functions/arithmetic.ts";
import { NONE } from "../ops/ops.ts";
import { reshape, expand } from "../functions/shaping.ts";
import type { Tensor } from "../tensor.ts";

/** One application of an operation, seen from its result's gradient. */
export interface Application<Attributes> {
  /** Gradient with respect to the result. */
  readonly g: Tensor;
  /** The result itself. */
  readonly y: Tensor;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes;
  readonly sizes: readonly (readonly number[])[];
  /** Which operands' gradients are needed. */
  readonly wanted: readonly boolean[];
}

/**
 * Vector-Jacobian product: the gradient of each operand, `undefined` where there is none. A part
 * may still be broadcast: the driver sums it to the operand's shape.
 */
export type Vjp<Attributes> = (
  application: Application<Attributes>,
) => readonly (Tensor | undefined)[];

/** An application whose attributes do not matter. */
export type Any = Application<unknown>;

/** The i-th operand; that there are so many was checked when the operation was recorded. */
export const at = (a: Any, i: number): Tensor => a.inputs[i] as Tensor;
/** A baked-in number in a tensor's dtype. */
export const num = (value: number, like: Tensor): Tensor => constant(value, like.dtype);
export const zerosLike = (x: Tensor): Tensor => expand(num(0, x), x.shape);

/** `condition` as 0 and 1 in x's dtype. */
export const mask = (condition: Tensor, x: Tensor): Tensor => cast(condition, x.dtype);
export const compare = (op: "eq" | "gt" | "lt", x: Tensor, y: Tensor): Tensor =>
  apply(op, [x, y], NONE);

/** Gives a reduced tensor its reduced dimensions back, with size 1. */
export function keepDims(t: Tensor, x: Tensor, dims: readonly number[]): Tensor {
  return reshape(
    t,
    x.shape.map((n, i) => (dims.includes(i) ? 1 : n)),
  );
}
