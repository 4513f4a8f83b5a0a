import { fail } from "../../tensor/errors.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** One number for all spatial dimensions, or one for each. */
export type PerDimension = number | readonly number[];

/** One number a spatial dimension, each at least `least`. */
export function perDimension(
  op: string,
  name: string,
  value: PerDimension,
  rank: number,
  least: number,
): number[] {
  const list = typeof value === "number" ? Array.from({ length: rank }, () => value) : [...value];
  if (list.length !== rank || list.some((n) => !Number.isInteger(n) || n < least)) {
    const wanted = rank === 1 ? "an integer" : `an integer or ${rank} of them`;
    fail(op, `${name} must be ${wanted} of ${least} or more, got ${show(list)}`);
  }
  return list;
}

/** Calls `body` with a batch dimension, which it adds and removes for x [channels, ...spatial]. */
export function batched(
  op: string,
  x: Tensor,
  spatial: number,
  body: (x: Tensor) => Tensor,
): Tensor {
  if (x.ndim === spatial + 2) return body(x);
  if (x.ndim === spatial + 1) return body(x.unsqueeze(0)).squeeze(0);
  return fail(op, `expected [batch, channels, ${spatial} spatial dims], got ${show(x.shape)}`);
}
