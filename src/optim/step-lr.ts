import { fail } from "../base/errors.ts";
import { LRScheduler } from "./lr-scheduler.ts";
import type { Optimizer } from "./optimizer.ts";
import type { OptimizerOptions } from "./parameter-groups.ts";

/**
 * Learning rates times `gamma` after every `stepSize` steps.
 *
 * @example
 * ```ts
 * import { Parameter, SGD, StepLR, tensor } from "tsvene";
 * const optimizer = new SGD([new Parameter(tensor([1]))], { lr: 0.1 });
 * const schedule = new StepLR(optimizer, { stepSize: 30, gamma: 0.1 });
 * ```
 */
export class StepLR<O extends OptimizerOptions = OptimizerOptions> extends LRScheduler<O> {
  /** @param options - `gamma` is 0.1 unless given. */
  constructor(
    optimizer: Pick<Optimizer<O>, "groups">,
    { stepSize, gamma = 0.1 }: { readonly stepSize: number; readonly gamma?: number },
  ) {
    if (!Number.isInteger(stepSize) || stepSize < 1) {
      fail("StepLR", `stepSize must be an integer of 1 or more, got ${stepSize}`);
    }
    super(optimizer, (step) => gamma ** Math.floor(step / stepSize));
  }
}
