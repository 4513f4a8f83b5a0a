import { wrongWord } from "../../base/known-options.ts";
import { fail } from "../../base/errors.ts";
import { LambdaLR } from "../../optim/lambda-lr.ts";
import { LRScheduler } from "../../optim/lr-scheduler.ts";
import {
  constantScheduleWithWarmup,
  cosineScheduleWithWarmup,
  linearScheduleWithWarmup,
} from "../../optim/schedules.ts";
import type { Counts } from "./counts.ts";
import type { AnyOptimizer, ScheduleChoice, StepCounts } from "./train-options.ts";

type ScheduleName = Extract<ScheduleChoice, string>;

const SCHEDULES: {
  readonly [K in ScheduleName]: (
    optimizer: Pick<AnyOptimizer, "groups">,
    counts: StepCounts,
  ) => LRScheduler;
} = {
  constant: (optimizer, counts) =>
    counts.warmupSteps === 0
      ? new LambdaLR(optimizer, () => 1)
      : constantScheduleWithWarmup(optimizer, counts),
  linear: linearScheduleWithWarmup,
  cosine: cosineScheduleWithWarmup,
};

/** The schedule of a training, whose steps are the optimiser's. */
export function makeSchedule(
  op: string,
  optimizer: Pick<AnyOptimizer, "groups">,
  choice: ScheduleChoice,
  counts: Counts,
): LRScheduler {
  const steps = { totalSteps: counts.steps, warmupSteps: counts.warmup };
  if (typeof choice === "function") {
    const made = choice(optimizer, steps);
    if (made instanceof LRScheduler) return made;
    fail(
      op,
      "schedule must make an LRScheduler, such as (optimizer) => new LambdaLR(optimizer, f)",
    );
  }
  const wrong = wrongWord("schedule", choice, Object.keys(SCHEDULES));
  if (wrong !== undefined) fail(op, wrong);
  return SCHEDULES[choice](optimizer, steps);
}
