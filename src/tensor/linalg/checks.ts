import { asFloat } from "../functions/arithmetic.ts";
import { fail } from "../errors.ts";
import { show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Refuses what is not a floating-point matrix or a batch of them. */
export function requireMatrix(op: string, x: Tensor): Tensor {
  if (x.shape.length < 2) fail(op, `expected matrices [..., m, n], got ${show(x.shape)}`);
  return asFloat(x);
}

/** Refuses what is not a square matrix or a batch of them. */
export function requireSquare(op: string, x: Tensor): Tensor {
  if (x.shape.length < 2 || x.shape.at(-1) !== x.shape.at(-2)) {
    fail(op, `expected square matrices [..., n, n], got ${show(x.shape)}`);
  }
  return asFloat(x);
}
