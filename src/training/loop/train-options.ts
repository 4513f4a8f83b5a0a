import type { LRScheduler } from "../../optim/lr-scheduler.ts";
import type { Optimizer } from "../../optim/optimizer.ts";
import type { OptimizerOptions } from "../../optim/parameter-groups.ts";
import type { Module } from "../../nn/module.ts";
import type { FrozenReport } from "../frozen/frozen-parts.ts";
import type { Parameter } from "../../nn/parameter.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Generator } from "../../tensor/random/random.ts";
import type { AdamOptions } from "../../optim/adam-rule.ts";
import type { SGDOptions } from "../../optim/sgd.ts";

/** Data that a training goes through by the numbers of its examples. */
export interface TrainingData<Batch> {
  /** Number of examples. */
  readonly length: number;
  /** The examples with these numbers, from 0. */
  batch(indices: readonly number[]): Batch;
}

/** Where a training stands when a batch is made or traced. */
export interface TrainingMoment {
  /** Number of the optimiser's step, from 0. */
  readonly step: number;
  /** Number of the batch, from 0; the same as the step unless batches are accumulated. */
  readonly microstep: number;
  /** Random numbers that depend on the seed and the number of the batch only. */
  readonly generator: Generator;
  /** False while evaluating. */
  readonly training: boolean;
}

/** Makes a batch of fresh examples, for data without an end. */
export type BatchMaker<Batch> = (moment: TrainingMoment) => Batch;

/** What a batch gives. */
export interface TracedBatch {
  /** One floating-point number, not evaluated yet. */
  readonly loss: Tensor;
  /** More numbers by name, such as an accuracy, which are computed in the same program. */
  readonly metrics?: Readonly<Record<string, Tensor>>;
}

/** What is to be made small: a loss of a batch, alone or with metrics. */
export type LossOf<Batch> = (batch: Batch, moment: TrainingMoment) => Tensor | TracedBatch;

/** One of several losses that are made small together. */
export interface TrainingTask<Batch> {
  /** What it is computed on: its own batch in each step. */
  readonly data: TrainingData<Batch> | BatchMaker<Batch>;
  /** Its share in the sum. @default 1 */
  readonly weight?: number;
  /** Its own loss. @default that of the training */
  readonly loss?: LossOf<Batch>;
  /** Prefix of its metrics' names, as in `cause accuracy`. @default "" for the first, its number for others */
  readonly name?: string;
}

/** What may be trained: a module, parameters, or parameters by the name of their group. */
export type Trainable =
  Module | Iterable<Parameter> | Readonly<Record<string, Iterable<Parameter>>>;

/** Options of the optimisers that are known by name. */
export interface OptimizerTable {
  /** {@link Adam} */
  readonly adam: AdamOptions;
  /** {@link AdamW} */
  readonly adamw: AdamOptions;
  /** {@link SGD} */
  readonly sgd: SGDOptions;
}

/** Names of optimisers. */
export type OptimizerName = keyof OptimizerTable;

/** An optimiser by name, with options of its own. */
export type NamedOptimizer = {
  [K in OptimizerName]: { readonly name: K } & Readonly<Partial<Omit<OptimizerTable[K], "lr">>>;
}[OptimizerName];

/** An optimiser of whatever options. */
// Optimizer is invariant in its options, and only what all have is used.
export type AnyOptimizer = Pick<
  Optimizer<OptimizerOptions>,
  "groups" | "gradients" | "stepWith" | "stateDict" | "loadStateDict"
>;

/** One learning rate, one for each group of parameters, or one for each parameter by its name. */
export type LearningRates =
  number | Readonly<Record<string, number>> | ((name: string, parameter: Parameter) => number);

/** How many steps a training has, for schedules. */
export interface StepCounts {
  /** The optimiser's steps of the whole training. */
  readonly totalSteps: number;
  /** Steps in which learning rates rise. */
  readonly warmupSteps: number;
}

/** A schedule by name, or a function that makes one for the optimiser. */
export type ScheduleChoice =
  | "constant"
  | "linear"
  | "cosine"
  | ((optimizer: Pick<Optimizer<OptimizerOptions>, "groups">, counts: StepCounts) => LRScheduler);

/** How a number changes from the first step to the last. */
export interface Annealing {
  /** In the first step. */
  readonly from: number;
  /** In the last step. */
  readonly to: number;
  /** `"exponential"`: the same factor in each step. @default "linear" */
  readonly curve?: "linear" | "exponential";
  /** What is counted: the optimiser's steps, or batches. @default "steps" */
  readonly over?: "steps" | "microsteps";
}

/** A number that changes from step to step, and what it is given to. */
export interface Annealed {
  /** Its values: from one to another, or by the number of the step. */
  readonly values: Annealing | ((step: number) => number);
  /** Takes the value of a step, before it is traced. */
  readonly set: (value: number) => void;
}

/** What is measured while training, and how often. */
export interface EvaluationOptions<Batch> {
  /** What is evaluated, with the loss and the metrics of the training. */
  readonly data?: TrainingData<Batch>;
  /** A measurement of your own instead: one number, or numbers by name. */
  readonly measure?: (
    step: number,
  ) =>
    number | Readonly<Record<string, number>> | Promise<number | Readonly<Record<string, number>>>;
  /** After how many steps. @default an epoch; without epochs, a tenth of the steps */
  readonly every?: number;
  /** Examples in a batch. @default that of the training */
  readonly batchSize?: number;
  /** By which of the numbers the best step is chosen. @default the first metric, or else "loss" */
  readonly metric?: string;
  /** Which is best. @default "min" for "loss", "max" for others */
  readonly mode?: "min" | "max";
}

/** Where a training's state is kept. */
export interface TrainingCheckpoint {
  /** The file; see {@link saveTrainingState}. */
  readonly path: string;
  /** After how many steps it is written; at the end and when stopped it always is. @default 100 */
  readonly every?: number;
  /**
   * `"auto"`: go on from the file if it is there. `"must"`: it has to be there. `"never"`: begin anew and
   * write over it.
   * @default "auto"
   */
  readonly resume?: "auto" | "must" | "never";
}

/** What one step gave. */
export interface StepRecord {
  /** Number of the step, from 0. */
  readonly step: number;
  /** Its loss, before the step; of several batches, their mean. */
  readonly loss: number;
  /** Its metrics by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The learning rates with which it was taken, by group of the optimiser. */
  readonly lr: readonly number[];
}

/** What one evaluation gave. */
export interface EvaluationRecord {
  /** Number of steps taken before it. */
  readonly steps: number;
  /** Its numbers by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** The best of the evaluations. */
export interface BestRecord {
  /** Number of steps taken before it. */
  readonly steps: number;
  /** Which number was looked at. */
  readonly metric: string;
  /** What it was. */
  readonly value: number;
}

/** How a training ended: all steps were taken, the signal, or no improvement any more. */
export type StoppedBy = "end" | "signal" | "patience";

/** What a training gives. */
export interface TrainingResult {
  /** Steps that were taken, those before a checkpoint included. */
  readonly steps: number;
  /** What each step gave. */
  readonly history: readonly StepRecord[];
  /** What each evaluation gave. */
  readonly evaluations: readonly EvaluationRecord[];
  /** The best evaluation, whose parameters are in place now; undefined where nothing was evaluated. */
  readonly best: BestRecord | undefined;
  /** Why it ended. */
  readonly stopped: StoppedBy;
  /** What was kept of examples, and how large it was; undefined with `keepFrozen: false`. */
  readonly frozen: FrozenReport | undefined;
}

/** Options that every training has; see {@link train} and {@link trainAlignment}. */
export interface LoopOptions<Batch> {
  /** How often to go through the data. Give this or `steps`. */
  readonly epochs?: number;
  /** How many steps of the optimiser to take. Give this or `epochs`. */
  readonly steps?: number;
  /** Examples in a batch. Where there are fewer, each batch has all of them. @default 32 */
  readonly batchSize?: number;
  /** Go through the data in another order in each epoch, which the seed decides. @default true */
  readonly shuffle?: boolean;
  /** Leave out the batch of an epoch that is not full. @default false */
  readonly dropLast?: boolean;
  /** By name, by name with options, or one of your own. @default "adam" */
  readonly optimizer?: OptimizerName | NamedOptimizer | AnyOptimizer;
  /** One for all, by group, or by name. @default 1e-3 */
  readonly lr?: LearningRates;
  /** How learning rates change over the optimiser's steps. @default "constant" */
  readonly schedule?: ScheduleChoice;
  /** Steps in which learning rates rise from 0: a share of all, below 1, or a number. @default 0 */
  readonly warmUp?: number;
  /**
   * Batches of one step: their losses count 1 / accumulate each. The last step takes what is left.
   * @default 1
   */
  readonly accumulate?: number;
  /** Scale gradients down together to at most this norm. @default no limit */
  readonly maxGradNorm?: number;
  /** Numbers that change over the steps. @default none */
  readonly anneal?: readonly Annealed[];
  /** What to measure while training. @default nothing */
  readonly evaluate?: EvaluationOptions<Batch>;
  /** Stop after so many evaluations without a better one. @default never */
  readonly patience?: number;
  /** Decides the order of the data and all random numbers, dropout's included. @default 0 */
  readonly seed?: number;
  /** Keep where the training stands in a file, and go on from it. @default nowhere */
  readonly checkpoint?: string | TrainingCheckpoint;
  /** Stops the training when aborted; what was learned so far stays. */
  readonly signal?: AbortSignal;
  /** Called after each step; awaited. */
  readonly onStep?: (record: StepRecord) => void | Promise<void>;
  /** Called after each evaluation; awaited. */
  readonly onEvaluate?: (record: EvaluationRecord) => void | Promise<void>;
  /** Draw a progress bar on standard error, where that is a terminal. @default true */
  readonly progress?: boolean;
  /**
   * Compute what no trained parameter has a part in, such as sources and the base up to the place that is
   * trained, once for each example, and keep it; see {@link FrozenParts}.
   * @default true
   */
  readonly keepFrozen?: boolean;
  /** Bytes that may be kept for that. @default 1 GiB */
  readonly memoryBudget?: number;
}

/** Options of {@link train}. */
export interface TrainOptions<Batch> extends LoopOptions<Batch> {
  /** What is trained. Frozen parameters are left out. */
  readonly parameters: Trainable;
  /** What it is trained on: data, a function that makes batches, or several tasks. */
  readonly data: TrainingData<Batch> | BatchMaker<Batch> | readonly TrainingTask<Batch>[];
  /** What is to be made small. */
  readonly loss: LossOf<Batch>;
}
