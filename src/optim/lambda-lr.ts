import { LRScheduler } from "./lr-scheduler.ts";
import type { OptimizerOptions } from "./parameter-groups.ts";

/**
 * Learning rates times a function of the number of steps taken: one function for all groups, or one
 * for each.
 *
 * @example
 * ```ts
 * import { LambdaLR, Parameter, SGD, tensor } from "tsvene";
 * const optimizer = new SGD([new Parameter(tensor([1]))], { lr: 0.1 });
 * const schedule = new LambdaLR(optimizer, (step) => 0.5 ** step);
 * schedule.step();
 * console.log(schedule.lastLr()); // [0.05]
 * ```
 */
export class LambdaLR<O extends OptimizerOptions = OptimizerOptions> extends LRScheduler<O> {}
