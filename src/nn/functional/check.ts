import { requireTensors } from "../../tensor/require-tensors.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { fail } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Refuses integers and bools, for which a function has no meaning. */
export function requireFloat(op: string, x: Tensor, what = "input"): void {
  requireTensors(op, x);
  if (isFloat(x.dtype)) return;
  fail(op, `${what} must be floating-point, got ${x.dtype}; use to("float32") first`);
}
