// Optimisers and learning-rate schedules as in PyTorch.
export { Adam } from "./adam.ts";
export { AdamW } from "./adam-w.ts";
export type { AdamOptions } from "./adam-rule.ts";
export { type ClippedGradients, clipGradNorm } from "./clip-grad-norm.ts";
export { LambdaLR } from "./lambda-lr.ts";
export { type LearningRateFactor, LRScheduler, type ScheduleStateDict } from "./lr-scheduler.ts";
export { Optimizer, type StepOptions, type UpdateInput, type Updated } from "./optimizer.ts";
export type { OptimizerOptions, ParameterGroup, Parameters } from "./parameter-groups.ts";
export {
  constantSchedule,
  constantScheduleWithWarmup,
  cosineScheduleWithWarmup,
  linearScheduleWithWarmup,
  type WarmupDecayOptions,
  type WarmupOptions,
} from "./schedules.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export type { OptimizerStateDict } from "./state-dict.ts";
export { StepLR } from "./step-lr.ts";
