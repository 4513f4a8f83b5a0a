import type { Tensor } from "../../tensor/tensor.ts";

/** The numbers of a tensor one after the other, computed if they are not. */
export async function readNumbers(values: Tensor): Promise<readonly number[]> {
  return Array.from(await values.data(), Number);
}
