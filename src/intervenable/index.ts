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
export {
  type ForwardOptions,
  IntervenableModel,
  type InputsOf,
  type IntervenedGenerateOptions,
  type IntervenedGeneration,
  type InterventionArguments,
  type OutputsOf,
} from "./intervenable-model.ts";
export { InterventionDict } from "./intervention-dict.ts";
export type {
  InterventionLocations,
  LocationPair,
  LocationSide,
  UnitLocations,
} from "./locations.ts";
export type { IntervenableOutput, IntervenableResult } from "./output.ts";
export type { SourceRepresentations } from "./sources.ts";
