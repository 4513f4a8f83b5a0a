export type { ComponentOf, ModulePath } from "./component-of.ts";
export {
  IntervenableConfig,
  type IntervenableConfigLike,
  type IntervenableOptions,
  type Mode,
} from "./config.ts";
export type {
  EachStep,
  ForwardOptions,
  GenerationArguments,
  InputsOf,
  IntervenedGenerateOptions,
  IntervenedGeneration,
  InterventionArguments,
  OutputsOf,
  Sources,
} from "./arguments.ts";
export {
  type ExplainedIntervention,
  type ExplainedLayer,
  type ExplainedRun,
  Explanation,
  type ExplanationFields,
} from "./explanation.ts";
export { IntervenableModel } from "./intervenable-model.ts";
export { InterventionDict } from "./intervention-dict.ts";
export type {
  AxisPlaces,
  InterventionLocations,
  LocationPair,
  LocationSide,
  UnitLocations,
  UnitPlace,
} from "./locations.ts";
export type { IntervenableOutput, IntervenableResult } from "./output.ts";
export type { SourceRepresentations } from "./sources.ts";
export type { PromptsOf, WritingModel } from "./writer.ts";
export type { GenerationSteps, StepRange, StepSelection } from "./steps.ts";
export type {
  PositionalRepresentation,
  Representation,
  RepresentationConfig,
  RepresentationLike,
  SourceSiteConfig,
  Unit,
} from "./representation-config.ts";
