import { requireTensors } from "./require-tensors.ts";
import { internal } from "../base/errors.ts";
import type { Tensor } from "./tensor.ts";

/** Computes the values of lazy tensors. */
export type Evaluator = (tensors: readonly Tensor[]) => Promise<void>;

let evaluator: Evaluator = () => internal("no runtime is loaded; import from 'tsvene'");

/** Called once by the runtime, so that this layer needs no knowledge of it. */
export function provideEvaluator(evaluate: Evaluator): void {
  evaluator = evaluate;
}

/**
 * Computes tensors together, in one program: what they share is computed once, what none of them
 * needs is not computed. Afterwards each holds its values.
 *
 * @example
 * ```ts
 * import { evaluate, tensor } from "tsvene";
 * const x = tensor([1, 2, 3]);
 * const [a, b] = [x.mul(2), x.exp()];
 * await evaluate(a, b);
 * ```
 */
export async function evaluate(...tensors: readonly Tensor[]): Promise<void> {
  requireTensors("evaluate", ...tensors);
  const pending = tensors.filter((t) => t.values === undefined);
  if (pending.length > 0) await evaluator(pending);
}
