export {
  IntervenableConfig,
  type IntervenableConfigLike,
  type IntervenableOptions,
  type Mode,
  type PositionalRepresentation,
  type Representation,
  type RepresentationConfig,
  type RepresentationLike,
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
export { IntervenableModel } from "./intervenable-model.ts";
export { InterventionDict } from "./intervention-dict.ts";
export type {
  InterventionLocations,
  LocationPair,
  LocationSide,
  UnitLocations,
} from "./locations.ts";
export type { IntervenableOutput, IntervenableResult } from "./output.ts";
export type { SourceRepresentations } from "./sources.ts";
export type { GenerationSteps, StepRange, StepSelection } from "./steps.ts";
