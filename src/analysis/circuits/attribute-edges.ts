import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import { partsOf, range } from "../../base/lists.ts";
import { bytesText } from "../../base/quantities.ts";
import type { Module } from "../../nn/module.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { requireSource, sharedSource } from "../paths/shared-source.ts";
import { requirePairs } from "../data/require-pairs.ts";
import { contrastMetric } from "../metrics/contrast-metric.ts";
import { ResidualStream } from "../residual/residual-stream.ts";
import { BUDGET } from "../sweep/plan-sweep.ts";
import type { EdgeAttribution, EdgeAttributionOptions } from "./edge-attribution-options.ts";
import { type EdgeAttributionRuns, traceEdgeEstimates } from "./edge-estimates.ts";
import { type EdgePoint, edgePoints } from "./edge-points.ts";
import { FoundEdges } from "./found-edges.ts";
import type { EdgeScores } from "./edge-scores.ts";
import { type EdgeCheck, verifyEdges } from "./verify-edges.ts";

const OP = "attributeEdges";
/** How many tensors of all receivers and all senders live at once. */
const LIVE = 3;

const ASKED: OptionNames<EdgeAttribution> = {
  source: true,
  method: true,
  steps: true,
  rule: true,
  direction: true,
  metric: true,
};
const OPTIONS: OptionNames<EdgeAttributionOptions> = {
  verify: true,
  memoryBudget: true,
  onProgress: true,
  signal: true,
};

/** What an attribution of edges finds. */
export interface AttributedEdges {
  /** The estimated changes, by sender and receiver. */
  readonly scores: EdgeScores;
  /**
   * For each pair, of `"integratedGradients"`: what all edges of the input are said to change, less what
   * the other input does. With more steps it goes to 0.
   */
  readonly convergenceDelta?: readonly number[];
  /** Of `verify`. */
  readonly verified?: EdgeCheck;
}

/**
 * Edge attribution patching: an estimate, of every edge at once, of what a metric becomes when one receiver
 * reads what one sender wrote in the other input: how differently it wrote, times the gradient of the metric
 * with respect to what the receiver reads, summed over positions (EAP, Syed et al., 2023; with integrated
 * gradients EAP-IG, Hanna et al., 2024). Two passes and one gradient at each point; the sum over a sender's
 * receivers is what `attribute` says of the node.
 *
 * @param model - Of a family whose layers add to a residual stream.
 * @param pairs - Of prompts, `contrastPairs` makes them.
 * @param asked - How edges are attributed: plain data.
 * @throws TsveneError, before anything runs, for a model without such a stream; and for a metric that has no
 * gradient at the base.
 *
 * @example
 * ```ts
 * import { attributeEdges, AutoModelForCausalLM, AutoTokenizer, contrastPairs } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const pairs = contrastPairs(tokenizer, [
 *   {
 *     clean: "The capital of Italy is",
 *     corrupt: "The capital of Spain is",
 *     right: " Rome",
 *     wrong: " Madrid",
 *   },
 * ]);
 * const { scores } = await attributeEdges(model, pairs, { method: "integratedGradients", steps: 5 });
 * console.log(String(scores));
 * ```
 */
export async function attributeEdges(
  model: Module,
  pairs: ContrastData,
  asked: EdgeAttribution = {},
  options: EdgeAttributionOptions = {},
): Promise<AttributedEdges> {
  check(model, pairs, asked, options);
  const metric = contrastMetric(OP, asked.metric);
  const stream = new ResidualStream(OP, model, pairs.batch([0]).clean);
  const read = { op: OP, model, stream, data: pairs, metric, asked };
  const points = edgePoints(asked, stream.layers.length);
  const { input } = stream.trace(pairs.batch([0]).clean);
  const chunks = chunksOf(read, input, points, options);
  const size = chunks[0]?.pairs.length ?? 1;
  const source = await sharedSource(read, asked.source ?? "counterpart", size);
  const runs: EdgeAttributionRuns = { ...read, source };
  const found = new FoundEdges(runs, input.size(-1));
  let done = 0;
  for (const { pairs: own, points: parts } of chunks) {
    for (const some of parts) {
      options.signal?.throwIfAborted();
      const estimates = traceEdgeEstimates(runs, own, some);
      await evaluate(...estimates.sums, estimates.clean, estimates.corrupt, estimates.steepest);
      await found.add(estimates, some.length / points.length);
    }
    found.finish();
    done += own.length;
    options.onProgress?.(done, pairs.length);
  }
  const scores = found.scores();
  const { verify = 0, memoryBudget } = options;
  const verified = verify > 0 ? await verifyEdges(runs, scores, verify, memoryBudget) : undefined;
  const isPath = asked.method === "integratedGradients";
  return {
    scores,
    ...(isPath && { convergenceDelta: found.convergenceDelta() }),
    ...(verified && { verified }),
  };
}

function check(
  model: unknown,
  pairs: unknown,
  asked: EdgeAttribution,
  options: EdgeAttributionOptions,
): void {
  requirePairs(OP, model, pairs);
  requireKnownOptions(OP, asked, ASKED);
  requireKnownOptions(OP, options, OPTIONS);
  const methods = ["gradient", "integratedGradients", "integratedActivations", "ends"];
  requireOneOf(OP, "method", asked.method, [undefined, ...methods]);
  requireOneOf(OP, "rule", asked.rule, [undefined, "midpoint", "left", "right"]);
  requireOneOf(OP, "direction", asked.direction, [undefined, "denoise", "noise"]);
  const { source = "counterpart", method = "gradient" } = asked;
  requireSource(OP, source);
  if (source !== "counterpart" && method !== "gradient") {
    fail(OP, `the points of "${method}" lie between both inputs: with it source is "counterpart"`);
  }
  const { verify = 0 } = options;
  if (!isCount(verify)) fail(OP, `verify must be a number of edges, got ${shown(verify)}`);
  const { steps = 1 } = asked;
  if (!isCount(steps) || steps < 1) {
    fail(OP, `steps must be a number of points from 1, got ${shown(steps)}`);
  }
}

/** Pairs, and parts of the points that are computed together. */
interface Chunk {
  readonly pairs: readonly number[];
  readonly points: readonly (readonly EdgePoint[])[];
}

/** As much at once as the budget allows. */
function chunksOf(
  { stream, data }: EdgeAttributionRuns,
  { numel }: Tensor,
  points: readonly EdgePoint[],
  { memoryBudget = BUDGET }: EdgeAttributionOptions,
): readonly Chunk[] {
  const bytes = 4 * LIVE * numel * (stream.senders.length + stream.receivers.length);
  const rows = Math.floor(memoryBudget / bytes);
  if (!(rows >= 1)) {
    fail(
      OP,
      `memoryBudget is ${shown(memoryBudget)} bytes, but one pair takes about ${bytesText(bytes)}; give more`,
    );
  }
  const parts = partsOf(points, Math.min(rows, points.length));
  const together = Math.max(1, Math.floor(rows / points.length));
  return partsOf(range(data.length), together).map((pairs) => ({ pairs, points: parts }));
}
