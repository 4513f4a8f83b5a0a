// What training takes beside optimisers: data, loops, and keeping where it stands to go on from there.
export type { AlignmentBatch, AlignmentData, AlignmentExample } from "./data/alignment-data.ts";
export type {
  Annealed,
  Annealing,
  AnyOptimizer,
  BatchMaker,
  BestRecord,
  TrainingCheckpoint,
  EvaluationOptions,
  EvaluationRecord,
  LearningRates,
  LoopOptions,
  LossOf,
  NamedOptimizer,
  OptimizerName,
  OptimizerTable,
  ScheduleChoice,
  StepCounts,
  StepRecord,
  StoppedBy,
  TracedBatch,
  Trainable,
  TrainingData,
  TrainingMoment,
  TrainingResult,
  TrainingTask,
  TrainOptions,
} from "./loop/train-options.ts";
export {
  type AlignmentLoss,
  type AlignmentMetric,
  type AlignmentRun,
  type Regularizer,
} from "./alignment/alignment-loss.ts";
export type { TemperatureChoice } from "./alignment/temperature.ts";
export {
  type AlignmentTask,
  trainAlignment,
  type TrainAlignmentOptions,
} from "./alignment/train-alignment.ts";
export type { TrainedParts } from "./alignment/trained-parts.ts";
export { train } from "./loop/train.ts";
export { TrainingError } from "./loop/training-error.ts";
export {
  type AlignmentControls,
  AlignmentScore,
  type AlignmentScoreFields,
  type FamilyScore,
  type MaskReport,
  type PartScore,
  type VariablesScore,
} from "./alignment/alignment-score.ts";
export type { AlignmentGrid } from "./alignment/alignment-grid.ts";
export {
  AlignmentTable,
  type AlignmentTableFields,
  type AlignmentTableJSON,
  type SiteSelection,
  type TableRow,
} from "./alignment/alignment-table.ts";
export type { GridData } from "./alignment/grid-views.ts";
export type { TablePlotOptions } from "./alignment/table-plot.ts";
export { evalAlignment } from "./alignment/eval-alignment.ts";
export type {
  AlignmentTrainer,
  EvalAlignmentOptions,
  EvalGridOptions,
} from "./alignment/eval-options.ts";
export type { EvaluatedRun, EvaluationMetric, MetricChoice } from "./alignment/metrics.ts";
export type { Interval, Spread } from "./alignment/statistics.ts";
export type { OtherPlace, OtherSite } from "./alignment/variants.ts";
export {
  DataLoader,
  type DataLoaderOptions,
  type DataLoaderState,
  type LoadedData,
} from "./data/data-loader.ts";
export { drawnExamples, type ExampleSource } from "./data/example-source.ts";
export { pickExamples } from "./data/pick-examples.ts";
export { keepCorrect, type KeptExamples } from "./alignment/keep-correct.ts";
export type { PairsOptions } from "./data/pair-examples.ts";
export type {
  KnownPlaces,
  PromptContext,
  PromptExample,
  PromptInputs,
  PromptPairsOptions,
  PromptPart,
  PromptPlaces,
  PromptPositions,
  PromptTokenizer,
  PromptUnits,
} from "./data/prompt-options.ts";
export { firstAndLast } from "./data/first-and-last.ts";
export { promptPairs } from "./data/prompt-pairs.ts";
export type {
  Setting,
  SettingEncoding,
  SettingLabel,
  SettingModel,
  SettingPairsOptions,
} from "./data/setting-options.ts";
export { type SettingExample, settingPairs } from "./data/setting-pairs.ts";
export { loadTrainingState, type Resumable, saveTrainingState } from "./training-state.ts";
export * from "./probes/index.ts";
export {
  type FrozenOptions,
  FrozenParts,
  type FrozenReport,
  type KeptPart,
} from "./frozen/frozen-parts.ts";
