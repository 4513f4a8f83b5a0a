import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Tensors of one program at most: as many steps as are run together, with room for more edits. */
const MOST = 64;

/**
 * Computes tensors of which another call has another number, as one of more steps has: how many there are is
 * part of a program, so they are computed in few programs whose numbers are powers of two.
 */
export async function evaluateSome(tensors: readonly Tensor[]): Promise<void> {
  let left = [...new Set(tensors)].filter(({ values }) => values === undefined);
  while (left.length > 0) {
    const count = Math.min(MOST, 2 ** Math.floor(Math.log2(left.length)));
    await evaluate(...left.slice(0, count));
    left = left.slice(count);
  }
}
