import { range } from "../../base/lists.ts";
import { fail } from "../../base/errors.ts";
import type { Module } from "../../nn/module.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ContrastBatch, ContrastData, ContrastSide } from "../data/contrast-data.ts";
import type { ContrastMetric } from "../metrics/contrast-metric.ts";
import { traceMetric, type TracedMetric } from "../metrics/traced-metric.ts";
import type { ResidualStream, TracedResidual } from "../residual/residual-stream.ts";
import { headResults } from "../residual/residual-writes.ts";
import { SIDES } from "../sweep/sweep-source.ts";
import { type WrittenStates, writtenStates } from "../paths/written-states.ts";
import type { EdgeAttribution } from "./edge-attribution-options.ts";
import { type EdgePoint, editToPoints } from "./edge-points.ts";
import {
  type GradientPass,
  receiverGradients,
  type ReceiverGradients,
} from "./receiver-gradients.ts";

/** What all programs of an attribution of edges have in common. */
export interface EdgeAttributionRuns {
  readonly op: string;
  readonly model: Module;
  readonly stream: ResidualStream;
  readonly data: ContrastData;
  readonly metric: Required<ContrastMetric>;
  readonly asked: EdgeAttribution;
  /** What takes the place of what senders wrote for all pairs; undefined for what they wrote in the other run. */
  readonly source?: WrittenStates | undefined;
}

/** What is traced of some pairs. */
export interface EdgeEstimates {
  /** For receivers in order, of as many of the first senders as they read: [batch, senders, receivers]. */
  readonly sums: readonly Tensor[];
  /** The metric of each input, [batch]. */
  readonly clean: Tensor;
  readonly corrupt: Tensor;
  /** The greatest gradient of the metric, with respect to what the end reads. */
  readonly steepest: Tensor;
}

/** The two runs of some pairs. */
interface Ends {
  readonly batch: ContrastBatch;
  readonly passes: Readonly<Record<ContrastSide, TracedResidual>>;
  readonly metrics: Readonly<Record<ContrastSide, TracedMetric>>;
}

/** Traces the mean over some points of what each edge is estimated to change. Nothing is computed. */
export function traceEdgeEstimates(
  runs: EdgeAttributionRuns,
  pairs: readonly number[],
  points: readonly EdgePoint[],
): EdgeEstimates {
  const ends = traceEnds(runs, pairs);
  const run = gradientPass(runs, ends, points);
  const receivers = receiverGradients(run);
  const senders = new SenderChanges(runs, ends, run, points.length);
  const sums = receivers.map((own) => senders.scores(own));
  const last = receivers.at(-1)?.gradients ?? fail(runs.op, "internal: nothing is read");
  return {
    sums,
    clean: ends.metrics.clean.values,
    corrupt: ends.metrics.corrupt.values,
    steepest: last.abs().amax(),
  };
}

function traceEnds({ stream, ...runs }: EdgeAttributionRuns, pairs: readonly number[]): Ends {
  const batch = runs.data.batch(pairs);
  const passes = { clean: stream.trace(batch.clean), corrupt: stream.trace(batch.corrupt) };
  const measured = (side: ContrastSide): TracedMetric =>
    traceMetric({ ...runs, batch, side, output: passes[side].result });
  return { batch, passes, metrics: { clean: measured("clean"), corrupt: measured("corrupt") } };
}

/** The base where nothing is moved, else rows of all points. */
function gradientPass(
  runs: EdgeAttributionRuns,
  { passes, metrics, batch: { indices } }: Ends,
  points: readonly EdgePoint[],
): GradientPass {
  const { stream, data, asked } = runs;
  const { base: side } = SIDES[asked.direction ?? "noise"];
  const rows = (times: number): ContrastBatch =>
    data.batch(range(times * points.length).flatMap(() => indices));
  const contexts = new Map<number, TracedResidual>();
  const contextOf = (times: number): TracedResidual => {
    const context = contexts.get(times) ?? stream.trace(rows(times)[side]);
    contexts.set(times, context);
    return context;
  };
  if ((asked.method ?? "gradient") === "gradient") {
    return { stream, contextOf, pass: passes[side], measured: metrics[side].values.sum() };
  }
  const batch = rows(1);
  const pass = stream.trace(batch[side], editToPoints(points, passes));
  const { values } = traceMetric({ ...runs, batch, side, output: pass.result });
  return { stream, contextOf, pass, measured: values.sum() };
}

/** By how much what senders wrote in the source differs from what they wrote in the base. */
class SenderChanges {
  readonly #points: number;
  /** Whether changes are other ones at each point: a norm of the attention's output has another derivative. */
  readonly #isVaried: boolean;
  /** Of the input, of each layer's heads and of its MLP, [senders, batch, points * positions * width]. */
  readonly #changes: readonly Tensor[];
  readonly #isParallel: readonly boolean[];

  constructor(runs: EdgeAttributionRuns, { passes }: Ends, { pass }: GradientPass, points: number) {
    const { stream, asked } = runs;
    const { base: baseSide, from } = SIDES[asked.direction ?? "noise"];
    const base = writtenStates(stream, passes[baseSide]);
    const source = runs.source ?? writtenStates(stream, passes[from]);
    this.#points = points;
    this.#isVaried = pass.layers.some(({ norm }) => norm !== undefined);
    this.#isParallel = stream.layers.map(({ isParallel }) => isParallel);
    const changes = pass.layers.flatMap((traced, layer) => {
      const [before, after] = [base.layers[layer], source.layers[layer]];
      if (before === undefined || after === undefined) return [];
      const results = this.#spread(headResults(traced, after.mixed.sub(before.mixed)));
      const mlp = this.#spread(after.mlp.sub(before.mlp).unsqueeze(0));
      return [traced.norm?.derivative(results) ?? results, mlp];
    });
    const input = this.#spread(source.input.sub(base.input).unsqueeze(0));
    this.#changes = [input, ...changes].map((change) => this.#folded(change));
  }

  /** [batch, senders, receivers], of the senders that these receivers read. */
  scores({ kind, layer, gradients }: ReceiverGradients): Tensor {
    const isAfterHeads = kind === "mlp" && this.#isParallel[layer] === false;
    const count = 1 + 2 * layer + (isAfterHeads ? 1 : 0);
    const senders = cat(this.#changes.slice(0, count), 0).transpose(0, 1);
    const receivers = this.#folded(this.#isVaried ? gradients : this.#meanOfPoints(gradients));
    const product = senders.matmul(receivers.permute([1, 2, 0]));
    return this.#isVaried ? product.div(this.#points) : product;
  }

  /** [receivers, points * batch, ...], without the points. */
  #meanOfPoints(gradients: Tensor): Tensor {
    const [count = 1, rows = 1, ...rest] = gradients.shape;
    return gradients.reshape([count, this.#points, rows / this.#points, ...rest]).mean({ dim: 1 });
  }

  /** [senders, batch, positions, width], at each point if that matters. */
  #spread(change: Tensor): Tensor {
    if (!this.#isVaried || this.#points === 1) return change;
    const [count = 1, ...rest] = change.shape;
    return change
      .unsqueeze(1)
      .expand([count, this.#points, ...rest])
      .flatten(1, 2);
  }

  /** [nodes, batch, all that is summed over] */
  #folded(states: Tensor): Tensor {
    const points = this.#isVaried ? this.#points : 1;
    const [count = 1, rows = 1, ...rest] = states.shape;
    const byPoint = states.reshape([count, points, rows / points, rest.reduce((a, b) => a * b, 1)]);
    return byPoint.transpose(1, 2).flatten(2, 3);
  }
}
