// Makes sense of outputs: which tokens a model thinks likely.
export {
  type TokenDecoder,
  type TokenProbability,
  topTokens,
  type TopTokensOptions,
} from "./top-tokens.ts";
export { terminalTopTokens, type TerminalTopTokensOptions } from "./terminal-top-tokens.ts";
export type { ContrastBatch, ContrastData, ContrastSide } from "./data/contrast-data.ts";
export {
  type ContrastPair,
  contrastPairs,
  type ContrastPairsOptions,
} from "./data/contrast-pairs.ts";
export type {
  ContrastMetric,
  ContrastMetricChoice,
  ContrastRun,
} from "./metrics/contrast-metric.ts";
export type { ArrayPlotOptions } from "./results/array-plot.ts";
export {
  type Direction,
  Effects,
  type EffectsFields,
  type EffectsJSON,
} from "./results/effects.ts";
export {
  type ArraySelection,
  NamedArray,
  type NamedArrayFields,
  type NamedArrayJSON,
  type NamedEntry,
} from "./results/named-array.ts";
export type { EffectIntervals } from "./results/intervals.ts";
export type { NamedAxis } from "./results/named-axis.ts";
export { sweep } from "./sweep/sweep.ts";
export type { NoiseCorruption, Sweep, SweepOptions, SweepSource } from "./sweep/sweep-options.ts";
export { causalTrace, type CausalTraceOptions, type TracedPrompt } from "./tracing/causal-trace.ts";
export type { TextInputs, TextTokenizer } from "./data/one-text.ts";
export {
  type LensColor,
  type LensPlotOptions,
  LensReading,
  type LensReadingFields,
  type LensReadingJSON,
} from "./lenses/lens-reading.ts";
export { logitLens } from "./lenses/logit-lens.ts";
export type { LensOptions } from "./lenses/read-stream.ts";
export { identityPrompt, patchscope, type PatchscopeOptions } from "./lenses/patchscope.ts";
export {
  PatchscopeReading,
  type PatchscopeReadingFields,
  type PatchscopeReadingJSON,
} from "./lenses/patchscope-reading.ts";
export { tunedLens } from "./lenses/read-tuned.ts";
export { type TrainedLens, trainTunedLens, type TunedLensTraining } from "./lenses/train-tuned-lens.ts"; // prettier-ignore
export {
  TunedLens,
  type TunedLensFilesOptions,
  type TunedLensOptions,
} from "./lenses/tuned-lens.ts";
export { attentionPage, type AttentionPageOptions } from "./attention/attention-page.ts";
export { type AttentionOptions, attentionPatterns } from "./attention/attention-patterns.ts";
export { attentionPlot, type AttentionPlotOptions } from "./attention/attention-plot.ts";
export {
  headScores,
  type HeadScoresOptions,
  randomRepeats,
  type RandomRepeatsOptions,
} from "./attention/head-scores.ts";
export type { HeadScore } from "./attention/score-heads.ts";
export { type Answer, directLogits, type DirectLogitsOptions } from "./lenses/direct-logits.ts";
export {
  DirectLogits,
  type DirectLogitsFields,
  type DirectLogitsJSON,
  type DirectLogitsPlotOptions,
} from "./lenses/direct-logits-result.ts";
export type { AdditionOptions, Scale } from "./steering/additions.ts";
export { chooseDirection, type DirectionChoiceOptions } from "./steering/choose-direction.ts";
export { DirectionChoice, type DirectionChoiceFields } from "./steering/direction-choice.ts";
export type { SteeringMethod } from "./steering/find-direction.ts";
export {
  type SiteVector,
  Steering,
  type SteeringFields,
  type SteeringOrigin,
} from "./steering/steering.ts";
export { probeSweep, type ProbeSweepOptions } from "./steering/probe-sweep.ts";
export { ProbeScores, type ProbeScoresFields, type ProbeScoresJSON } from "./steering/probe-scores.ts"; // prettier-ignore
export type { TextTensors } from "./steering/neutral-texts.ts";
export { steeringTable, type SteeringTableOptions } from "./steering/steer-strengths.ts";
export {
  SteeringTable,
  type SteeringTableFields,
  type SteeringTableJSON,
  type StrengthLimits,
} from "./steering/steering-table.ts";
export { steeringVector, type SteeringOptions } from "./steering/steering-vector.ts";
export type { SparseAutoencoderOptions, TrainedOn } from "./autoencoders/autoencoder-options.ts";
export {
  type AutoencoderAddress,
  type AutoencoderPlace,
  autoencoderSite,
  type AutoencoderSite,
} from "./autoencoders/autoencoder-site.ts";
export type { Normalization } from "./autoencoders/input-scale.ts";
export type { LatentArchitecture } from "./autoencoders/latent-activations.ts";
export type { AutoencoderFilesOptions } from "./autoencoders/read-autoencoder.ts";
export { SparseAutoencoder } from "./autoencoders/sparse-autoencoder.ts";
export {
  AutoencoderHealth,
  autoencoderHealth,
  type AutoencoderHealthFields,
  type SubstitutedLosses,
} from "./autoencoders/autoencoder-health.ts";
export type { AutoencoderTextsOptions } from "./autoencoders/autoencoder-texts.ts";
export {
  type ActivatingText,
  type LatentTexts,
  topActivations,
  type TopActivationsOptions,
} from "./autoencoders/top-activations.ts";
export { featureEffects, type FeatureEffectsOptions } from "./autoencoders/attribute-features.ts";
export {
  type FeatureEffect,
  FeatureEffects,
  type FeatureEffectsFields,
  type RankedLatent,
} from "./autoencoders/feature-effects.ts";
export { attribute } from "./attribution/attribute.ts";
export type {
  Attributed,
  Attribution,
  AttributionCheck,
  AttributionOptions,
  CheckedEstimate,
  GradientRule,
} from "./attribution/attribution-options.ts";
export { pathPatch, type PathPatching } from "./paths/path-patch.ts";
export type { PathSenders } from "./paths/path-nodes.ts";
export type { Patching, PatchingOptions, PatchSource } from "./paths/patching.ts";
export { type EdgePatching, runEdges, type EdgeSet } from "./paths/run-edges.ts";
export { attributeEdges, type AttributedEdges } from "./circuits/attribute-edges.ts";
export type {
  EdgeAttribution,
  EdgeAttributionOptions,
} from "./circuits/edge-attribution-options.ts";
export {
  EdgeScores,
  type EdgeScoresFields,
  type EdgeScoresJSON,
  type ScoredEdge,
} from "./circuits/edge-scores.ts";
export {
  acdc,
  type AcdcDecision,
  type AcdcOptions,
  type AcdcResult,
  type AcdcSettings,
} from "./circuits/acdc.ts";
export { Circuit, type CircuitFields, type CircuitModel } from "./circuits/circuit.ts";
export {
  CircuitCurve,
  type CircuitCurveFields,
  type CircuitCurveJSON,
  type CurvePoint,
} from "./circuits/circuit-curve.ts";
export {
  CircuitEvaluation,
  type CircuitEvaluationFields,
  type CircuitEvaluationJSON,
} from "./circuits/circuit-evaluation.ts";
export type { CircuitJSON, CircuitPart } from "./circuits/circuit-file.ts";
export type { CircuitPlotOptions } from "./circuits/circuit-plot.ts";
export type { CircuitMeasure } from "./circuits/circuit-runs.ts";
export {
  type CircuitControls,
  type CircuitEvaluationSettings,
  evaluateCircuits,
} from "./circuits/evaluate-circuits.ts";
export { type CurveSettings, faithfulnessCurve } from "./circuits/faithfulness-curve.ts";
export type { EdgeSelection } from "./circuits/select-edges.ts";
export {
  circuitCompleteness,
  circuitMinimality,
  type Completeness,
  type CompletenessSettings,
  type Minimality,
  type MinimalitySettings,
} from "./circuits/circuit-knockouts.ts";
export type { CheckedEdge, EdgeCheck } from "./circuits/verify-edges.ts";
