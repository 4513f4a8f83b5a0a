export { AdditionIntervention } from "./addition.ts";
export { CollectIntervention } from "./collect.ts";
export { FunctionIntervention, type InterventionFunction } from "./function.ts";
export {
  Intervention,
  type InterventionClass,
  type InterventionContext,
  type InterventionOptions,
  type InterventionOutput,
  type SourceUse,
} from "./intervention.ts";
export { SkipIntervention } from "./skip.ts";
export type { SubspacePartition, Subspaces } from "./subspaces.ts";
export { SubtractionIntervention } from "./subtraction.ts";
export { VanillaIntervention } from "./vanilla.ts";
export { ZeroIntervention } from "./zero.ts";
