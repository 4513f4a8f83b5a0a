import { internal } from "../../base/errors.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { toNumbers } from "../../tensor/tensor-core.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { TracedBatch } from "./train-options.ts";

/** A loss and metrics, computed. */
export interface Numbers {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The one number of a tensor that has been computed. */
export function known({ values, dtype }: Tensor): number {
  return toNumbers(values ?? internal("a number was not computed"), dtype)[0] ?? NaN;
}

/** A metric as one number: the mean where it has one for each example. */
export function asOne(metric: Tensor): Tensor {
  const floating = isFloat(metric.dtype) ? metric : metric.float();
  return floating.numel === 1 ? floating.reshape([]) : floating.mean();
}

/** What a batch gave, all of which has been computed. */
export function numbersOf({ loss, metrics }: Required<TracedBatch>): Numbers {
  const entries = Object.entries(metrics).map(([name, t]) => [name, known(t)]);
  return { loss: known(loss), metrics: Object.fromEntries(entries) as Record<string, number> };
}

/** The mean of some, each with a weight. */
export function meanOf(
  all: readonly Numbers[],
  weights: readonly number[] = all.map(() => 1),
): Numbers {
  const names = new Set(all.flatMap(({ metrics }) => Object.keys(metrics)));
  const metrics = [...names].map((name) => [
    name,
    mean(
      all.map((n) => n.metrics[name]),
      weights,
    ),
  ]);
  return {
    loss: mean(
      all.map(({ loss }) => loss),
      weights,
    ),
    metrics: Object.fromEntries(metrics) as Record<string, number>,
  };
}

/** Of the values that are there. */
function mean(values: readonly (number | undefined)[], weights: readonly number[]): number {
  let [sum, total] = [0, 0];
  for (const [i, value] of values.entries()) {
    if (value === undefined) continue;
    const weight = weights[i] ?? 0;
    sum += value * weight;
    total += weight;
  }
  return sum / total;
}
