// Other ways to write a representation: features, of which interventions change some.
export { AutoencoderFeaturizer, type AutoencoderFeaturizerOptions } from "./autoencoder.ts";
export { ComposedFeaturizer, type ComposedOptions } from "./composed.ts";
export { DirectionsFeaturizer, type DirectionsOptions } from "./directions.ts";
export {
  type Featurized,
  Featurizer,
  type FeaturizerClass,
  type FeaturizerOptions,
} from "./featurizer.ts";
export { IdentityFeaturizer } from "./identity.ts";
export { JumpReLUFeaturizer } from "./jump-relu.ts";
export { type Components, PCAFeaturizer, type PCAFeaturizerOptions } from "./pca.ts";
export {
  type FeaturizerData,
  type FeaturizerKind,
  type FeaturizerLike,
  registerFeaturizer,
} from "./registry.ts";
export { RotationFeaturizer, type RotationOptions } from "./rotation.ts";
export { StandardizeFeaturizer, type StandardizeOptions } from "./standardize.ts";
