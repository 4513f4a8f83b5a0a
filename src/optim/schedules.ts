import { fail } from "../base/errors.ts";
import { LambdaLR } from "./lambda-lr.ts";
import type { Optimizer } from "./optimizer.ts";
import type { OptimizerOptions } from "./parameter-groups.ts";

/** How long learning rates rise. */
export interface WarmupOptions {
  /** Steps from zero to the full learning rate. */
  readonly warmupSteps: number;
}

/** How long learning rates rise, and when training ends. */
export interface WarmupDecayOptions extends WarmupOptions {
  /** Steps of the whole training. */
  readonly totalSteps: number;
}

/** What a schedule needs of an optimiser. */
type Schedulable<O extends OptimizerOptions> = Pick<Optimizer<O>, "groups">;

function checkSteps(name: string, steps: object): void {
  for (const [key, value] of Object.entries(steps)) {
    if (!Number.isInteger(value) || value < 0) {
      fail(name, `${key} must be an integer of 0 or more, got ${String(value)}`);
    }
  }
}

const rising = (step: number, warmupSteps: number): number => step / Math.max(1, warmupSteps);

/** Share of the steps after the warm-up that are done. */
function progress(step: number, { warmupSteps, totalSteps }: WarmupDecayOptions): number {
  return (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
}

/** Learning rates as they are: for code that wants a schedule. */
export function constantSchedule<O extends OptimizerOptions>(
  optimizer: Schedulable<O>,
): LambdaLR<O> {
  return new LambdaLR(optimizer, () => 1);
}

/**
 * Learning rates that rise from zero over the first steps and stay.
 *
 * @example
 * ```ts
 * import { constantScheduleWithWarmup, Parameter, SGD, tensor } from "tsvene";
 * const optimizer = new SGD([new Parameter(tensor([1]))], { lr: 0.1 });
 * const schedule = constantScheduleWithWarmup(optimizer, { warmupSteps: 100 });
 * ```
 */
export function constantScheduleWithWarmup<O extends OptimizerOptions>(
  optimizer: Schedulable<O>,
  { warmupSteps }: WarmupOptions,
): LambdaLR<O> {
  checkSteps("constantScheduleWithWarmup", { warmupSteps });
  return new LambdaLR(optimizer, (step) => Math.min(1, rising(step, warmupSteps)));
}

/**
 * Learning rates that rise from zero over the first steps and fall to zero at the last, in straight
 * lines, as `transformers.get_linear_schedule_with_warmup`.
 *
 * @example
 * ```ts
 * import { linearScheduleWithWarmup, Parameter, SGD, tensor } from "tsvene";
 * const optimizer = new SGD([new Parameter(tensor([1]))], { lr: 0.1 });
 * const schedule = linearScheduleWithWarmup(optimizer, { warmupSteps: 10, totalSteps: 100 });
 * console.log(schedule.lastLr()); // [0]
 * ```
 */
export function linearScheduleWithWarmup<O extends OptimizerOptions>(
  optimizer: Schedulable<O>,
  options: WarmupDecayOptions,
): LambdaLR<O> {
  const { warmupSteps, totalSteps } = options;
  checkSteps("linearScheduleWithWarmup", { warmupSteps, totalSteps });
  return new LambdaLR(optimizer, (step) => {
    if (step < warmupSteps) return rising(step, warmupSteps);
    return Math.max(0, 1 - progress(step, options));
  });
}

/**
 * Learning rates that rise from zero over the first steps and fall along a cosine, as
 * `transformers.get_cosine_schedule_with_warmup`.
 * @param options - `cycles`: waves after the warm-up; 0.5 (the default) falls to zero once.
 *
 * @example
 * ```ts
 * import { cosineScheduleWithWarmup, Parameter, SGD, tensor } from "tsvene";
 * const optimizer = new SGD([new Parameter(tensor([1]))], { lr: 0.1 });
 * const schedule = cosineScheduleWithWarmup(optimizer, { warmupSteps: 10, totalSteps: 100 });
 * ```
 */
export function cosineScheduleWithWarmup<O extends OptimizerOptions>(
  optimizer: Schedulable<O>,
  options: WarmupDecayOptions & { readonly cycles?: number },
): LambdaLR<O> {
  const { warmupSteps, totalSteps, cycles = 0.5 } = options;
  checkSteps("cosineScheduleWithWarmup", { warmupSteps, totalSteps });
  return new LambdaLR(optimizer, (step) => {
    if (step < warmupSteps) return rising(step, warmupSteps);
    return Math.max(0, (1 + Math.cos(2 * Math.PI * cycles * progress(step, options))) / 2);
  });
}
