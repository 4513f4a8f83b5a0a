// Models of how variables cause each other, and data of what happens where some are exchanged.
export { anyValue } from "./any-value.ts";
export { CausalModel } from "./causal-model.ts";
export type { PyveneTensors } from "./encode.ts";
export type {
  CausalPictureOptions,
  CausalSampler,
  CounterfactualOptions,
  DrawOptions,
  FactualOptions,
  SampleBalancedOptions,
  SampleInputOptions,
  SampleInterventionOptions,
  SampleRequest,
} from "./options.ts";
export type {
  AnyValue,
  CausalExample,
  CausalFunctions,
  CausalModelOptions,
  CausalSetting,
  CausalSources,
  Domain,
  Domains,
  ParentLists,
  VariableName,
} from "./types.ts";
