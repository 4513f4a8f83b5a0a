import { internal } from "../../base/errors.ts";
import type { Shape } from "../shape.ts";
import type { DType } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";

/** What an operation's result looks like. */
export interface Signature {
  readonly shape: Shape;
  readonly dtype: DType;
}

export type Sizes = readonly (readonly number[])[];
export type Rule<Attributes> = (
  inputs: readonly Tensor[],
  attributes: Attributes,
  sizes: Sizes,
) => Signature;

export function input(inputs: readonly Tensor[], i: number): Tensor {
  const t = inputs[i];
  if (t === undefined) internal(`operation needs an input ${i}`);
  return t;
}

export function size(sizes: Sizes, i: number): readonly number[] {
  const s = sizes[i];
  if (s === undefined) internal(`operation needs sizes ${i}`);
  return s;
}
