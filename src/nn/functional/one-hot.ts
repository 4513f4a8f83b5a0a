import { fail } from "../../tensor/errors.ts";
import { oneHot as tensorOneHot } from "../../tensor/functions/indexing.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * int64 vectors of length `classes` that are 1 at each index and 0 elsewhere, in a new last
 * dimension. Indices are int64 or int32, of any shape.
 *
 * @throws TensorError for an index outside the classes, where the indices' values are known.
 */
export function oneHot(x: Tensor, classes: number): Tensor {
  if (!Number.isInteger(classes) || classes < 1) {
    fail("oneHot", `classes must be an integer of 1 or more, got ${classes}`);
  }
  if (x.dtype !== "int64" && x.dtype !== "int32") {
    fail("oneHot", `indices must be int64 or int32, got ${x.dtype}`);
  }
  for (const value of x.values ?? []) {
    if (value >= 0 && value < classes) continue;
    fail("oneHot", `index ${value} is not one of ${classes} classes`);
  }
  return tensorOneHot(x, classes);
}
