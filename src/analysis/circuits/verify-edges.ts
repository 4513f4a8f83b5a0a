import { meanOf } from "../../training/alignment/statistics.ts";
import { EdgeRuns } from "../paths/edge-runs.ts";
import { edgeWeights } from "../paths/run-edges.ts";
import { agreementOf, firstAndRandom } from "../results/check-estimates.ts";
import type { EdgeAttributionRuns } from "./edge-estimates.ts";
import type { EdgeScores } from "./edge-scores.ts";

/** An estimate beside what running the edge gives. */
export interface CheckedEdge {
  /** Its name. */
  readonly edge: string;
  /** The estimated change of the metric, the mean over the pairs. */
  readonly estimate: number;
  /** The change where this edge alone carries what was written in the other run. */
  readonly exact: number;
}

/** How good scores of edges are. */
export interface EdgeCheck {
  /** The edges that were run, the greatest estimates first, then random ones. */
  readonly edges: readonly CheckedEdge[];
  /** Spearman's rank correlation of estimate and exact change. */
  readonly spearman: number;
  /** The edge whose estimate is furthest off. */
  readonly largestMiss: CheckedEdge;
}

/** Runs the greatest edges, and as many at random, exactly. */
export async function verifyEdges(
  { op, model, data, asked, metric }: EdgeAttributionRuns,
  scores: EdgeScores,
  count: number,
  memoryBudget: number | undefined,
): Promise<EdgeCheck> {
  const { direction } = scores;
  const budget = memoryBudget === undefined ? {} : { memoryBudget };
  const patching = {
    direction,
    metric: asked.metric ?? metric,
    source: asked.source ?? "counterpart",
  } as const;
  const runs = new EdgeRuns(op, model, data, patching, budget);
  const chosen = firstAndRandom(scores.top(Infinity), count);
  const sets = chosen.map(({ edge }) => edgeWeights(op, runs.edges, [edge], edge));
  const values = await runs.run(sets);
  const base = meanOf(direction === "denoise" ? scores.corrupt : scores.clean);
  const edges = chosen.map(({ edge, change }, i): CheckedEdge => ({
    edge,
    estimate: change,
    exact: meanOf([...(values[i] ?? [])]) - base,
  }));
  return { edges, ...agreementOf(edges) };
}
