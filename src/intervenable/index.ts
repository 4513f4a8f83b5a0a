// Where interventions are made: configurations, and models with interventions.
export type { ComponentOf, ModulePath } from "../models/model/component-names.ts";
export type { About } from "./config/about.ts";
export {
  IntervenableConfig,
  type IntervenableConfigLike,
  type IntervenableConfigJSON,
  type IntervenableOptions,
  type Mode,
} from "./config/config.ts";
export type {
  InterventionKind,
  InterventionLike,
  NamedIntervention,
} from "./config/intervention-kind.ts";
export type {
  EachStep,
  ForwardOptions,
  GenerationArguments,
  InputsOf,
  IntervenedGenerateOptions,
  GenerationResult,
  IntervenedGeneration,
  InterventionArguments,
  OutputsOf,
  Sources,
} from "./generation/arguments.ts";
export {
  type ExplainedIntervention,
  type ExplainedLayer,
  type ExplainedRun,
  Explanation,
  type ExplanationFields,
} from "./explain/explanation.ts";
export {
  type ArtefactDescription,
  describeArtefact,
  type DescribedIntervention,
  isArtefact,
} from "./saving/describe-artefact.ts";
export { pushToHub } from "./saving/push-to-hub.ts";
export { verifyArtefact } from "./saving/verify-artefact.ts";
export { IntervenableModel } from "./intervenable-model.ts";
export { InterventionDict } from "./config/intervention-dict.ts";
export type {
  AxisPlaces,
  InterventionLocations,
  LocationPair,
  NamedAxes,
  OrderedAxes,
  SourceAndBase,
  UnitLocations,
  UnitPlace,
} from "./units/locations.ts";
export type { EachIntervention } from "./units/each.ts";
export { fromPyveneLocations } from "./units/pyvene-locations.ts";
export type { IntervenableOutput, IntervenableResult } from "./call/output.ts";
export type {
  Axis as SiteAxis,
  AxisName as SiteAxisName,
  AxisValue as SiteAxisValue,
  AxisValues as SiteAxisValues,
  GridSite,
  SiteGrid,
} from "./grid/site-grid.ts";
export type { EditedRows } from "./call/rows.ts";
export type { SourceRepresentations } from "./call/sources.ts";
export type { PromptsOf, WritingModel } from "./call/writer.ts";
export type { GenerationSteps, StepRange, StepSelection } from "./generation/steps.ts";
export type { RepresentationJSON } from "./config/representation-json.ts";
export type {
  OwnUnit,
  PositionalRepresentation,
  Representation,
  RepresentationConfig,
  RepresentationLike,
  SourceSiteConfig,
  Unit,
} from "./config/representation-config.ts";
export type { ArtefactOptions } from "./saving/artefact.ts";
export type { LoadIntervenableOptions } from "./saving/load.ts";
export type { LoadableClass, ModelMaker } from "./saving/model-files.ts";
export type { ParameterOptions as InterventionParameterOptions } from "./saving/own-parameters.ts";
export type { SaveIntervenableOptions } from "./saving/save.ts";
