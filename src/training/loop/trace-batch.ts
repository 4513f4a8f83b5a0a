import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isFloat } from "../../tensor/dtype.ts";
import type { FrozenParts } from "../frozen/frozen-parts.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Feed } from "./feeds.ts";
import { asOne } from "./numbers.ts";
import { drawingFrom } from "./random-scope.ts";
import type { TracedBatch, TrainingMoment } from "./train-options.ts";

/** How batches are traced. */
export interface TraceSettings<Batch> {
  readonly feeds: readonly Feed<Batch>[];
  /** What is kept of what does not depend on the parameters. */
  readonly frozen: FrozenParts | undefined;
  readonly parameters: readonly Parameter[];
}

/** A batch of each task, traced: the sum of their losses, and all their metrics. */
export async function traceTasks<Batch>(
  op: string,
  { feeds, frozen, parameters }: TraceSettings<Batch>,
  moment: TrainingMoment,
): Promise<Required<TracedBatch>> {
  const losses: Tensor[] = [];
  const metrics: [string, Tensor][] = [];
  // One stream for all tasks, in which each goes on where the one before stopped.
  for (const { at, loss, weight, prefix } of feeds) {
    const traced = drawingFrom(moment.generator.split(), () =>
      asTraced(op, loss(at(moment), moment)),
    );
    await frozen?.settle([traced.loss, ...Object.values(traced.metrics ?? {})], parameters);
    losses.push(weight === 1 ? traced.loss : traced.loss.mul(weight));
    metrics.push(...Object.entries(metricsOf(prefix, traced)));
    if (feeds.length > 1) metrics.push([`${prefix}loss`, traced.loss]);
  }
  const [first, ...rest] = losses;
  const total = rest.reduce((sum, loss) => sum.add(loss), first as Tensor);
  return { loss: total, metrics: Object.fromEntries(metrics) };
}

/** The metrics of a batch, each as one number. */
export function metricsOf(prefix: string, { metrics = {} }: TracedBatch): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(metrics).map(([name, t]) => [prefix + name, asOne(t)]));
}

/** @throws TsveneError for what is no loss. */
export function asTraced(op: string, given: Tensor | TracedBatch): TracedBatch {
  const traced = given instanceof Tensor ? { loss: given } : given;
  const loss: unknown = (traced as Partial<TracedBatch> | undefined)?.loss;
  if (!(loss instanceof Tensor)) {
    fail(op, `loss must give a Tensor, or { loss, metrics }, got ${describeValue(given)}`);
  }
  if (loss.numel !== 1 || !isFloat(loss.dtype)) {
    fail(
      op,
      `the loss must be one floating-point number, got ${loss.dtype} [${loss.shape.join(", ")}]; take its mean()`,
    );
  }
  return loss.ndim === 0 ? traced : { ...traced, loss: loss.reshape([]) };
}
