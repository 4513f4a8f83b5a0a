import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";

/** How long a training is. */
export interface Counts {
  /** Batches of an epoch; undefined for data without an end. */
  readonly batches: number | undefined;
  /** Batches of the whole training. */
  readonly microsteps: number;
  /** The optimiser's steps of the whole training. */
  readonly steps: number;
  /** Steps in which learning rates rise. */
  readonly warmup: number;
}

/** What is said about the length of a training. */
export interface CountOptions {
  readonly epochs?: number | undefined;
  readonly steps?: number | undefined;
  readonly accumulate: number;
  readonly warmUp: number;
}

/** @throws TsveneError unless a number is a whole one of at least `least`. */
export function requireCount(op: string, name: string, value: unknown, least = 1): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  return fail(op, `${name} must be a whole number of ${least} or more, got ${shown(value)}`);
}

/**
 * How many steps there are.
 * @param batches - Batches of an epoch; undefined for data without an end.
 * @throws TsveneError for epochs and steps both, or neither.
 */
export function countsOf(op: string, batches: number | undefined, options: CountOptions): Counts {
  const { epochs, steps, accumulate, warmUp } = options;
  if ((epochs === undefined) === (steps === undefined)) {
    fail(op, `give epochs or steps, ${epochs === undefined ? "one of them" : "and not both"}`);
  }
  const microsteps =
    steps === undefined
      ? epochBatches(op, batches, epochs)
      : requireCount(op, "steps", steps) * accumulate;
  const total = Math.ceil(microsteps / accumulate);
  return { batches, microsteps, steps: total, warmup: warmupOf(op, warmUp, total) };
}

function epochBatches(op: string, batches: number | undefined, epochs: unknown): number {
  const count = requireCount(op, "epochs", epochs);
  if (batches !== undefined) return count * batches;
  return fail(op, "a function that makes batches has no epochs; give steps");
}

function warmupOf(op: string, warmUp: unknown, steps: number): number {
  const isShare = typeof warmUp === "number" && warmUp >= 0 && warmUp < 1;
  return isShare ? Math.round(warmUp * steps) : requireCount(op, "warmUp", warmUp, 0);
}
