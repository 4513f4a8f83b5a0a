import type { Tensor } from "../../tensor/tensor.ts";

/** Whether all numbers of a computed tensor are finite. */
export function isFinite({ values }: Tensor): boolean {
  if (!(values instanceof Float32Array || values instanceof Float64Array)) return true;
  // Less itself, what is not finite is NaN, and so is a sum with it: no branch for each number.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) - (values[i] as number);
  return sum === 0;
}
