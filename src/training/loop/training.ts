import { FrozenParts } from "../frozen/frozen-parts.ts";
import { Module } from "../../nn/module.ts";
import type { Parameter } from "../../nn/parameter.ts";
import type { LRScheduler } from "../../optim/lr-scheduler.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { annealAll } from "./annealing.ts";
import { childGenerator } from "../data/child-generator.ts";
import { Buffers } from "./buffers.ts";
import { Best } from "./best.ts";
import { type FullOptions, fullOptions } from "./check-options.ts";
import type { Resumable } from "../training-state.ts";
import { type Checkpoint, checkpointAt, told, valuesOf } from "./checkpoint.ts";
import { type Counts, countsOf } from "./counts.ts";
import { measure } from "./evaluation.ts";
import { type Feed, feedsOf, STREAMS } from "./feeds.ts";
import { inEvaluation } from "./in-evaluation.ts";
import { makeOptimizer } from "./make-optimizer.ts";
import { makeSchedule } from "./make-schedule.ts";
import { openTrainingProgress, SILENT, type TrainingProgress } from "./progress.ts";
import { Records } from "./records.ts";
import {
  Accumulation,
  stepOfOne,
  type StepSettings,
  type TakenStep,
  type Traced,
} from "./take-step.ts";
import { traceTasks } from "./trace-batch.ts";
import type {
  AnyOptimizer,
  LossOf,
  StoppedBy,
  TrainingMoment,
  TrainingResult,
  TrainOptions,
} from "./train-options.ts";
import { type TrainedParameter, trainedParameters } from "./trained-parameters.ts";
import { Watch } from "./watch.ts";

/** What is known of a training beside its options. */
export interface TrainingFacts {
  /** What is trained, where that is known better than the options say it. */
  readonly trained?: readonly TrainedParameter[];
  /** Modules whose state a trace changes. @default the one that is trained */
  readonly modules?: readonly Module[];
  /** What else decides its numbers, for checkpoints to compare. */
  readonly said?: Readonly<Record<string, unknown>>;
}

/** One training under way. */
export class Training<Batch> {
  readonly #op: string;
  readonly #options: FullOptions<Batch>;
  readonly #trained: readonly TrainedParameter[];
  readonly #modules: readonly Module[];
  readonly #buffers: Buffers;
  readonly #feeds: readonly Feed<Batch>[];
  readonly #counts: Counts;
  readonly #optimizer: AnyOptimizer;
  readonly #schedule: LRScheduler;
  readonly #records = new Records();
  readonly #best: Best;
  #bar: TrainingProgress = SILENT;
  readonly #watch: Watch;
  readonly #checkpoint: Checkpoint | undefined;
  readonly #frozen: FrozenParts | undefined;

  constructor(op: string, given: TrainOptions<Batch>, facts: TrainingFacts = {}) {
    const options = fullOptions(op, given);
    const { parameters, checkpoint } = options;
    this.#op = op;
    this.#options = options;
    this.#trained = facts.trained ?? trainedParameters(op, parameters);
    this.#modules = facts.modules ?? (parameters instanceof Module ? [parameters] : []);
    this.#buffers = new Buffers(this.#modules);
    this.#feeds = feedsOf(op, options, options);
    const epoch = Math.max(...this.#feeds.map(({ batches = 0 }) => batches));
    this.#counts = countsOf(op, epoch === 0 ? undefined : epoch, options);
    this.#optimizer = makeOptimizer(op, this.#trained, options);
    this.#schedule = makeSchedule(op, this.#optimizer, options.schedule, this.#counts);
    this.#best = new Best(this.#trained);
    this.#watch = new Watch(op, this.#trained, this.#records);
    const { keepFrozen = true, memoryBudget } = options;
    const kept = memoryBudget === undefined ? {} : { memoryBudget };
    this.#frozen = keepFrozen ? new FrozenParts(kept) : undefined;
    this.#checkpoint =
      checkpoint === undefined ? undefined : checkpointAt(op, checkpoint, this.#parts(facts));
  }

  async run(): Promise<TrainingResult> {
    await this.#checkpoint?.resume();
    // What is still to be drawn would make the first step another program than the others.
    await evaluate(...this.#trained.map(({ parameter }) => parameter.stored));
    const { progress } = this.#options;
    this.#bar = await openTrainingProgress(progress, this.#op, this.#counts.steps);
    try {
      const stopped = await this.#loop();
      this.#watch.end();
      await this.#checkpoint?.save();
      if (stopped !== "signal" && this.#options.patience !== undefined) this.#restoreBest();
      const frozen = this.#frozen?.report();
      return { ...this.#watch.result(this.#best.record), stopped, frozen };
    } catch (error) {
      // What went wrong changed nothing, so that this is the last good state.
      if (this.#watch.isStopped(error)) await this.#checkpoint?.save();
      throw error;
    } finally {
      this.#bar.stop();
    }
  }

  async #loop(): Promise<StoppedBy> {
    const { patience = Infinity, signal } = this.#options;
    for (;;) {
      if (!(await this.#evaluateIfDue())) return "signal";
      if (this.#best.waited >= patience) return "patience";
      if (this.#records.steps >= this.#counts.steps) return "end";
      const taken = signal?.aborted === true ? undefined : await this.#takeStep();
      if (taken === undefined) return "signal";
      await this.#note(taken);
    }
  }

  async #note({ loss, metrics }: TakenStep): Promise<void> {
    const record = { step: this.#records.steps, loss, metrics, lr: this.#schedule.lastLr() };
    this.#records.history.push(record);
    this.#schedule.step();
    this.#bar.onStep(record);
    await this.#options.onStep?.(record);
    const { steps } = this.#records;
    if (this.#checkpoint !== undefined && steps % this.#checkpoint.every === 0) {
      await this.#checkpoint.save();
    }
  }

  /** Undefined when it was stopped between two batches. Unless a step is taken, nothing changes. */
  async #takeStep(): Promise<TakenStep | undefined> {
    const restore = this.#buffers.remember();
    let taken: TakenStep | undefined;
    try {
      taken = await this.#tryStep();
    } finally {
      if (taken === undefined) restore();
    }
    return taken;
  }

  async #tryStep(): Promise<TakenStep | undefined> {
    const { accumulate, signal } = this.#options;
    const first = this.#records.steps * accumulate;
    const count = Math.min(accumulate, this.#counts.microsteps - first);
    if (accumulate === 1) return stepOfOne(this.#settings(), await this.#trace(first));
    const sum = new Accumulation(this.#settings());
    for (let i = 0; i < count; i++) {
      if (signal?.aborted === true) return undefined;
      await sum.add(await this.#trace(first + i));
    }
    return sum.step();
  }

  async #trace(microstep: number): Promise<Traced> {
    const { anneal, seed } = this.#options;
    const { steps: step } = this.#records;
    annealAll(anneal, this.#counts, { step, microstep });
    const generator = childGenerator(seed, STREAMS.batches, microstep);
    const moment: TrainingMoment = { step, microstep, generator, training: true };
    const traced = await traceTasks(this.#op, { feeds: this.#feeds, ...this.#kept() }, moment);
    this.#watch.seeTrace(traced.loss);
    return { ...traced, also: this.#buffers.pending() };
  }

  /** What is kept of examples, and the parameters that have no part in it. */
  #kept(): { readonly frozen: FrozenParts | undefined; readonly parameters: readonly Parameter[] } {
    return { frozen: this.#frozen, parameters: this.#trained.map(({ parameter }) => parameter) };
  }

  #settings(): StepSettings {
    const { maxGradNorm, accumulate } = this.#options;
    const refuse = this.#watch.refuse.bind(this.#watch);
    return { optimizer: this.#optimizer, maxGradNorm, accumulate, refuse };
  }

  /** False when it was stopped meanwhile. */
  async #evaluateIfDue(): Promise<boolean> {
    const { evaluate: options, batchSize, seed, signal, onEvaluate } = this.#options;
    const { steps, evaluations } = this.#records;
    if (options === undefined || !this.#isDue(options.every)) return true;
    if (evaluations.at(-1)?.steps === steps) return true;
    const loss = this.#evaluatedLoss();
    const settings = { op: this.#op, options, loss, batchSize, seed, signal, ...this.#kept() };
    const record = await measure(settings, steps);
    if (record === undefined) return false;
    evaluations.push(record);
    this.#best.see(this.#op, options, record);
    this.#bar.onEvaluate(record);
    await onEvaluate?.(record);
    return true;
  }

  #isDue(every: number | undefined): boolean {
    const { steps: total, batches } = this.#counts;
    const { steps } = this.#records;
    const usual = batches === undefined ? total / 10 : batches / this.#options.accumulate;
    return steps > 0 && (steps % (every ?? Math.ceil(usual)) === 0 || steps === total);
  }

  /** The loss with modules in evaluation mode. */
  #evaluatedLoss(): LossOf<Batch> {
    const { loss } = this.#options;
    return (batch, moment) => inEvaluation(this.#modules, () => loss(batch, moment));
  }

  #restoreBest(): void {
    const { record } = this.#best;
    if (record === undefined) return;
    this.#best.restore();
    const step = record.steps - 1;
    const microstep = record.steps * this.#options.accumulate - 1;
    annealAll(this.#options.anneal, this.#counts, { step, microstep });
  }

  /** All that it goes on from. What it was told comes first, so that it is compared first. */
  #parts({ said }: TrainingFacts): Readonly<Record<string, Resumable>> {
    const configuration = {
      parameters: this.#trained.map(({ name, parameter }) => [name, parameter.shape]),
      tasks: this.#feeds.map(({ weight, batches }) => [weight, batches ?? "without end"]),
      steps: this.#counts.steps,
      warmUp: this.#counts.warmup,
      ...saidOf(this.#options),
      ...said,
    };
    return {
      configuration: told(this.#op, configuration),
      parameters: valuesOf(this.#trained),
      buffers: this.#buffers,
      optimizer: this.#optimizer,
      schedule: this.#schedule,
      records: this.#records,
      best: this.#best,
      watch: this.#watch,
    };
  }
}

/** What decides the numbers of a training, as a checkpoint compares it. */
function saidOf<Batch>(options: FullOptions<Batch>): Readonly<Record<string, unknown>> {
  const { optimizer = "adam", anneal, evaluate } = options;
  const { lr, schedule, accumulate, maxGradNorm, batchSize, shuffle, dropLast, seed, patience } =
    options;
  return {
    optimizer: typeof optimizer === "object" && "groups" in optimizer ? "its own" : optimizer,
    anneal: anneal.map(({ values }) => values),
    evaluate: evaluate && { ...evaluate, data: evaluate.data?.length },
    lr,
    schedule,
    accumulate,
    maxGradNorm,
    batchSize,
    shuffle,
    dropLast,
    seed,
    patience,
  };
}
