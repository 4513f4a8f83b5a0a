import type { Program } from "../program/program.ts";
import { isStep } from "../program/step.ts";

/**
 * Products with a bias times values of a program, at most. ONNX Runtime knows that what a `Gemm` gives
 * is a matrix, and looks for memory of its size among all that is free by then, of which it knows no
 * size: about 2 µs each. Of a product followed by a sum it knows nothing, and asks for memory anew.
 */
const MOST_SEARCHED = 8_000;

/** The same where weights are built in, which takes longer and is only done for what runs often. */
const MOST_SEARCHED_BUILT_IN = 400_000;

/** Whether products may add their bias themselves, which saves a pass over the result in every run. */
export function mayAddWithin({ values }: Program, isBuiltIn: boolean): boolean {
  let sums = 0;
  for (const value of values) {
    if (isStep(value) && value.origin.op === "linear" && value.inputs.length > 2) sums++;
  }
  return sums * values.length <= (isBuiltIn ? MOST_SEARCHED_BUILT_IN : MOST_SEARCHED);
}
