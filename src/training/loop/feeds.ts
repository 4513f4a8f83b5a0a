import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import { warn } from "../../base/warn.ts";
import { shuffle as shuffled } from "../../tensor/random/random.ts";
import { childGenerator } from "../data/child-generator.ts";
import { requireCount } from "./counts.ts";
import type {
  BatchMaker,
  LossOf,
  TrainingData,
  TrainingMoment,
  TrainingTask,
  TrainOptions,
} from "./train-options.ts";

/** One task of a training, which gives a batch for each step. */
export interface Feed<Batch> {
  /** Put before the names of its metrics. */
  readonly prefix: string;
  readonly weight: number;
  readonly loss: LossOf<Batch>;
  /** Batches of an epoch; undefined for data without an end. */
  readonly batches: number | undefined;
  /** The batch of a step. */
  readonly at: (moment: TrainingMoment) => Batch;
}

/** How data is divided into batches. */
interface Division {
  readonly batchSize?: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
}

/** Examples in a batch where nobody says how many. */
const USUAL_SIZE = 32;
const TASK = { data: true, weight: true, loss: true, name: true };

/** Streams of random numbers that a seed gives: for the order of data, batches and evaluations. */
export const STREAMS = { order: 0, batches: 1, evaluation: 2 } as const;

/**
 * The tasks of a training.
 * @throws TsveneError for data without examples and for what is no data.
 */
export function feedsOf<Batch>(
  op: string,
  { data, loss }: Pick<TrainOptions<Batch>, "data" | "loss">,
  division: Division,
): readonly Feed<Batch>[] {
  const tasks = Array.isArray(data) ? (data as readonly TrainingTask<Batch>[]) : [{ data }];
  if (tasks.length === 0) fail(op, "there are no tasks; give data, or a list of { data, weight }");
  return tasks.map((task, i) => {
    requireKnownOptions(op, task, TASK);
    const { weight = 1, name = i === 0 ? "" : String(i) } = task as TrainingTask<Batch>;
    if (!Number.isFinite(weight)) {
      fail(op, `the weight of task ${i} must be a number, got ${weight}`);
    }
    return {
      prefix: name === "" ? "" : `${name} `,
      weight,
      loss: (task as TrainingTask<Batch>).loss ?? loss,
      ...feed(op, task.data as TrainingData<Batch> | BatchMaker<Batch>, division, i),
    };
  });
}

function feed<Batch>(
  op: string,
  data: TrainingData<Batch> | BatchMaker<Batch>,
  division: Division,
  task: number,
): Pick<Feed<Batch>, "batches" | "at"> {
  if (typeof data === "function") {
    return { batches: undefined, at: data };
  }
  const size = batchSizeFor(op, data, division.batchSize);
  const round = division.dropLast ? Math.floor : Math.ceil;
  const batches = round(data.length / size);
  const orderOf = orders(data.length, division, task);
  return {
    batches,
    at: ({ microstep }) => {
      const start = (microstep % batches) * size;
      const indices = orderOf(Math.floor(microstep / batches)).slice(start, start + size);
      return data.batch(indices);
    },
  };
}

/** The order in each epoch; the last one that was asked for is kept. */
function orders(
  length: number,
  { shuffle, seed }: Division,
  task: number,
): (epoch: number) => readonly number[] {
  let known: { readonly epoch: number; readonly order: readonly number[] } | undefined;
  const inOrder = Array.from({ length }, (_, i) => i);
  return (epoch) => {
    if (!shuffle) return inOrder;
    if (known?.epoch !== epoch) {
      known = { epoch, order: shuffled(inOrder, childGenerator(seed, STREAMS.order, task, epoch)) };
    }
    return known.order;
  };
}

/** Examples in a batch: never more than there are. */
export function batchSizeFor(
  op: string,
  data: TrainingData<unknown>,
  batchSize: number | undefined,
): number {
  checkData(op, data);
  if (batchSize === undefined) return Math.min(USUAL_SIZE, data.length);
  if (batchSize <= data.length) return batchSize;
  warn(
    op,
    `batchSize ${batchSize} is more than the ${data.length} examples: each batch has all of them`,
  );
  return data.length;
}

function checkData(op: string, data: unknown): asserts data is TrainingData<unknown> {
  const { length, batch } = (data ?? {}) as Partial<TrainingData<unknown>>;
  if (typeof batch !== "function") {
    fail(op, `data must be { length, batch(indices) } or a function, got ${describeValue(data)}`);
  }
  if (length === 0) fail(op, "the data has no examples");
  requireCount(op, "the length of data", length);
}
