// What can be done at a site: classes from tensors to tensors, with parameters where they learn.
export { AdditionIntervention } from "./addition.ts";
export { AutoencoderIntervention, type AutoencoderOptions } from "./autoencoder.ts";
export { AutoencoderLayer } from "./autoencoder-layer.ts";
export { BoundlessRotatedSpaceIntervention } from "./boundless-rotated-space.ts";
export { CollectIntervention } from "./collect.ts";
export { ConfiguredIntervention } from "./configured-intervention.ts";
export {
  type ByFeature,
  FeatureEditIntervention,
  type FeatureEditOptions,
  type FeatureEdits,
} from "./feature-edit.ts";
export {
  type EditedFeatures,
  type FeatureCall,
  FeatureIntervention,
  FeatureSwappingIntervention,
} from "./feature-intervention.ts";
export {
  FeaturizedIntervention,
  type FeaturizedOptions,
  type WithFeaturizer,
} from "./featurized.ts";
export * from "./featurizers/index.ts";
export { FunctionIntervention, type InterventionFunction } from "./function.ts";
export {
  type AnyInterventionClass,
  Intervention,
  type InterventionClass,
  type InterventionContext,
  type InterventionOptions,
  type InterventionOutput,
  type ParameterKind,
  type SourceUse,
  unitWidthOf,
  UnknownWidthError,
  widthOf,
} from "./intervention.ts";
export {
  JumpReLUAutoencoderIntervention,
  type JumpReLUAutoencoderOptions,
} from "./jump-relu-autoencoder.ts";
export * from "./kinds.ts";
export { type LowRankOptions, LowRankRotatedSpaceIntervention } from "./low-rank-rotated-space.ts";
export { MaskedFeaturesIntervention, type MaskedFeaturesOptions } from "./masked-features.ts";
export { NoiseIntervention, type NoiseOptions } from "./noise.ts";
export { type PCAOptions, PCARotatedSpaceIntervention } from "./pca-rotated-space.ts";
export * from "./reft/index.ts";
export { registerIntervention } from "./registry.ts";
export { RotatedSpaceIntervention } from "./rotated-space.ts";
export { SigmoidMaskIntervention } from "./sigmoid-mask.ts";
export { SigmoidMaskRotatedSpaceIntervention } from "./sigmoid-mask-rotated-space.ts";
export { SkipIntervention } from "./skip.ts";
export type { SwapMode } from "./swap.ts";
export type { DimensionRange, SubspacePartition, Subspaces } from "./subspaces.ts";
export { SubtractionIntervention } from "./subtraction.ts";
export { VanillaIntervention } from "./vanilla.ts";
export { ZeroIntervention } from "./zero.ts";
