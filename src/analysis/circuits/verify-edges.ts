import { range } from "../../base/lists.ts";
import { Generator } from "../../tensor/random/generator.ts";
import { meanOf } from "../../training/alignment/statistics.ts";
import { EdgeRuns } from "../paths/edge-runs.ts";
import { rankCorrelation } from "../results/rank-correlation.ts";
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
  const runs = new EdgeRuns(op, model, data, { direction, metric: asked.metric ?? metric }, budget);
  const sorted = [...scores.top(Infinity)];
  const top = sorted.splice(0, count);
  const generator = new Generator(0);
  const random = range(Math.min(count, sorted.length)).flatMap(() =>
    sorted.splice(generator.integer(sorted.length), 1),
  );
  const chosen = [...top, ...random];
  const place = new Map(runs.edges.map(({ name }, i) => [name, i]));
  const sets = chosen.map(({ edge }) => {
    const weights = new Float32Array(runs.edges.length);
    weights[place.get(edge) ?? 0] = 1;
    return weights;
  });
  const values = await runs.run(sets);
  const base = meanOf(direction === "denoise" ? scores.corrupt : scores.clean);
  const edges = chosen.map(({ edge, change }, i): CheckedEdge => ({
    edge,
    estimate: change,
    exact: meanOf([...(values[i] ?? [])]) - base,
  }));
  const miss = ({ estimate, exact }: CheckedEdge): number => Math.abs(estimate - exact);
  const [worst] = edges.toSorted((a, b) => miss(b) - miss(a));
  return {
    edges,
    spearman: rankCorrelation(
      edges.map(({ estimate }) => estimate),
      edges.map(({ exact }) => exact),
    ),
    largestMiss: worst as CheckedEdge,
  };
}
