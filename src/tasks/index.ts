// What can be asked of a model in plain data, by a worker, a link, a file or a queue alike.
export { type ModelForTexts, performTask } from "./perform-task.ts";
export type {
  DescribedComponent,
  EditedResult,
  EditedTexts,
  ModelDescription,
  NextTokens,
  PlainConfig,
  PlainEdits,
  PlainPairs,
  PlainRepresentation,
  PlainSiteVector,
  PlainSteps,
  SteeredBy,
  SweepPart,
  Task,
  TaskName,
  TaskOptions,
  TaskPart,
  TaskResult,
  Tasks,
  TextTokens,
  Texts,
  WritingTask,
  WrittenTexts,
} from "./tasks.ts";
export type { ComputedData, TensorData } from "./tensor-data.ts";
