import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { Generator } from "../../tensor/random/random.ts";
import type { AlignmentBatch, AlignmentData } from "../data/alignment-data.ts";
import { LOOP_OPTIONS } from "../loop/check-options.ts";
import type {
  BatchMaker,
  LearningRates,
  LoopOptions,
  TrainingMoment,
  TrainingResult,
  TrainingTask,
} from "../loop/train-options.ts";
import { Training } from "../loop/training.ts";
import { type TrainedParameter, withoutFrozen } from "../loop/trained-parameters.ts";
import { commonPrefix } from "./common-prefix.ts";
import {
  alignmentLoss,
  type AlignmentLoss,
  type AlignmentLossOptions,
  type AlignmentMetric,
  type Regularizer,
} from "./alignment-loss.ts";
import { type TemperatureChoice, temperatures } from "./temperature.ts";
import { partsToTrain, type TrainedParts } from "./trained-parts.ts";

/** One of several data sets that an alignment is trained on together. */
export interface AlignmentTask {
  /** Its examples, or what makes batches of fresh ones. */
  readonly data: AlignmentData | BatchMaker<AlignmentBatch>;
  /** Its share in the sum of losses. @default 1 */
  readonly weight?: number;
  /** Its own loss. @default that of the training */
  readonly loss?: AlignmentLoss;
  /** What its metrics are called: `isolate accuracy`. @default none for the first, its number for others */
  readonly name?: string;
}

/** Options of {@link trainAlignment}. */
export interface TrainAlignmentOptions extends Omit<LoopOptions<AlignmentBatch>, "anneal"> {
  /**
   * What is trained: the interventions, the model itself (interchange intervention training), both, or a
   * list of parameters.
   * @default "interventions"
   */
  readonly parameters?: TrainedParts;
  /**
   * One for all; by kind of parameter (`rotation`, `boundary`, `mask`, `model`, `others`); or a function
   * of the parameter's name.
   * @default 1e-3, and 1e-2 for boundaries and masks
   */
  readonly lr?: LearningRates;
  /** How learning rates change over the optimiser's steps. @default "linear" */
  readonly schedule?: LoopOptions<AlignmentBatch>["schedule"] & {};
  /** Steps in which learning rates rise from 0: a share of all, below 1, or a number. @default 0.1 */
  readonly warmUp?: number;
  /**
   * How the temperatures of masks change: from one to another, by the number of the step, or one that
   * stays. `"asItIs"` leaves them alone.
   * @default what each intervention says: 50 to 0.1 for boundaries and masks in rotations, 1 to 0.01 for
   * other masks, in a line
   */
  readonly temperature?: TemperatureChoice;
  /** @default cross entropy of the labels with the logits at their positions */
  readonly loss?: AlignmentLoss;
  /** @default "accuracy", where labels are classes */
  readonly metric?: AlignmentMetric | "accuracy" | "none";
  /**
   * How much the cross entropy of the base's own labels counts, for training the model itself; data then
   * have `baseLabels`.
   * @default 0
   */
  readonly factual?: number;
  /**
   * How much the interventions' own measures of size count, by kind of parameter: `boundary` is the sum of
   * the clamped boundaries, `mask` that of all shares.
   * @default nothing
   */
  readonly regularizer?: Regularizer;
}

const OP = "trainAlignment";

const { anneal: _, ...SHARED } = LOOP_OPTIONS;
const OPTIONS: OptionNames<TrainAlignmentOptions> = {
  ...SHARED,
  parameters: true,
  temperature: true,
  loss: true,
  metric: true,
  factual: true,
  regularizer: true,
};

const RATES: Readonly<Record<string, number>> = { boundary: 1e-2, mask: 1e-2, others: 1e-3 };

/**
 * Trains an alignment: the parameters of interventions that are named after the variables of a causal
 * model, so that swapping what they select does to the model what swapping the variable would do. The
 * model stays as it is, unless `parameters` says otherwise.
 *
 * @param aligned - Its interventions are named after the data's variables.
 * @param data - Counterfactual examples, a function that makes batches of fresh ones, or several of these
 * with weights.
 * @throws TsveneError for options that contradict each other, nothing to train, data without examples and
 * variables that do not fit; TrainingError when a loss is not finite or depends on nothing that is
 * trained. Parameters are then as the last good step left them.
 *
 * @example
 * ```ts
 * import { type AlignmentData, IntervenableModel, Linear, LowRankRotatedSpaceIntervention } from "tsvene";
 * import { Module, randn, type Tensor, tensor, trainAlignment } from "tsvene";
 * class Net extends Module {
 *   readonly up = new Linear(4, 8);
 *   readonly down = new Linear(8, 2);
 *   override forward(x: Tensor): Tensor {
 *     return this.down.forward(this.up.forward(x).relu());
 *   }
 * }
 * const intervention = LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 });
 * const aligned = new IntervenableModel({ component: "up.output", intervention, name: "sum" }, new Net());
 * const data: AlignmentData<Tensor> = {
 *   length: 100,
 *   batch: (indices) => ({
 *     indices,
 *     base: randn([indices.length, 4]),
 *     sources: { sum: randn([indices.length, 4]) },
 *     labels: tensor(indices.map((i) => i % 2), { dtype: "int64" }),
 *   }),
 * };
 * const { history } = await trainAlignment(aligned, data, { epochs: 2, lr: 1e-2 });
 * console.log(history.at(-1)?.metrics["accuracy"]);
 * ```
 */
export async function trainAlignment(
  aligned: IntervenableModel,
  data: AlignmentData | BatchMaker<AlignmentBatch> | readonly AlignmentTask[],
  options: TrainAlignmentOptions,
): Promise<TrainingResult> {
  if (!(aligned instanceof IntervenableModel)) {
    fail(OP, "the first argument is the aligned model, an IntervenableModel");
  }
  requireKnownOptions(OP, options, OPTIONS);
  const { parameters = "interventions", temperature, ...rest } = options;
  const { loss, metric, factual, regularizer, ...loop } = rest;
  const sets = dataOf(data);
  buildWaiting(aligned, sets);
  await evaluate(...aligned.parameters().map(({ stored }) => stored));
  const trained = withoutFrozen(OP, partsToTrain(OP, aligned, parameters));
  const prefix = commonPrefix(OP, aligned, sets);
  const wanted = { loss, metric, factual, regularizer, prefix };
  const tasks = tasksOf(aligned, data, wanted);
  const settings = {
    schedule: "linear",
    warmUp: typeof loop.schedule === "function" ? 0 : 0.1,
    ...loop,
    ...ratesOf(trained, loop),
    anneal: temperatures(OP, aligned, temperature),
    parameters: aligned,
    data: tasks,
    loss: alignmentLoss(OP, aligned, wanted),
  } as const;
  const said = { factual, regularizer, temperature };
  return new Training<AlignmentBatch>(OP, settings, { trained, modules: [aligned], said }).run();
}

/** Builds interventions that wait for a width that only a trace says. */
function buildWaiting(aligned: IntervenableModel, [first]: readonly AlignmentTask["data"][]): void {
  if (first === undefined) return;
  if (typeof first === "function") aligned.inferWidths(first(firstMoment()).base);
  else if (first.length > 0) aligned.inferWidths(first.batch([0]).base);
}

function dataOf(
  data: AlignmentTask["data"] | readonly AlignmentTask[],
): readonly AlignmentTask["data"][] {
  if (!Array.isArray(data)) return [data as AlignmentTask["data"]];
  return (data as readonly AlignmentTask[]).map((task) => task.data);
}

type Task = TrainingTask<AlignmentBatch>;

/** For a batch of which only the shapes are looked at. */
function firstMoment(): TrainingMoment {
  return { step: 0, microstep: 0, training: true, generator: new Generator(0) };
}

/** Tasks with losses of their own traced in the same way. */
function tasksOf(
  aligned: IntervenableModel,
  data: AlignmentData | BatchMaker<AlignmentBatch> | readonly AlignmentTask[],
  options: AlignmentLossOptions,
): readonly Task[] {
  if (!Array.isArray(data)) return [{ data: data as AlignmentData | BatchMaker<AlignmentBatch> }];
  return (data as readonly AlignmentTask[]).map(({ loss, ...task }) => {
    if (loss === undefined) return task;
    return { ...task, loss: alignmentLoss(OP, aligned, { ...options, loss }) };
  });
}

/** Learning rates by kind, with the usual ones for kinds that nothing is said of. */
function ratesOf(
  trained: readonly TrainedParameter[],
  { lr, optimizer }: Pick<TrainAlignmentOptions, "lr" | "optimizer">,
): { readonly lr?: LearningRates } {
  const isOwn = typeof optimizer === "object" && "groups" in optimizer;
  if (isOwn || typeof lr === "number" || typeof lr === "function") return {};
  const kinds = new Set(trained.map(({ group }) => group));
  const usual = Object.entries(RATES).filter(([kind]) => kind === "others" || kinds.has(kind));
  return { lr: { ...(Object.fromEntries(usual) as Record<string, number>), ...lr } };
}
