import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { ResidualEdge } from "../residual/residual-edges.ts";
import { type EdgeGraph, onPaths } from "./edge-graph.ts";

/** Which edges make a circuit. */
export interface EdgeSelection {
  /** How many edges; of `"top"` before those without a path are taken out. */
  readonly edges?: number;
  /** Instead of a number: every edge with at least this much of `by`. */
  readonly threshold?: number;
  /**
   * `"top"`: the greatest of all; `"greedy"`: from the end backwards, the greatest edge that leads to a node
   * that is in already, as EAP-IG's greedy selection. @default "top"
   */
  readonly selection?: "top" | "greedy";
  /** What is compared: the magnitude of an edge's importance, or what helps the answer. @default "magnitude" */
  readonly by?: "magnitude" | "importance";
  /** Take out what is on no path from the input to the end. @default true */
  readonly prune?: boolean;
}

const OP = "circuit";
const OPTIONS: OptionNames<EdgeSelection> = {
  edges: true,
  threshold: true,
  selection: true,
  by: true,
  prune: true,
};

/** The edges of a graph that are selected by what they score. */
export function selectEdges(
  graph: EdgeGraph,
  importance: ReadonlyMap<string, number>,
  asked: EdgeSelection,
): readonly ResidualEdge[] {
  check(graph, asked);
  const { edges: count = Infinity, threshold = -Infinity, selection, by, prune = true } = asked;
  const weigh = by === "importance" ? (value: number): number => value : Math.abs;
  const weights = new Map(
    graph.edges.map((edge) => [edge, weigh(importance.get(edge.name) ?? NaN)]),
  );
  const weightOf = (edge: ResidualEdge): number => weights.get(edge) ?? NaN;
  const known = graph.edges
    .filter((edge) => weightOf(edge) >= threshold)
    .toSorted((a, b) => weightOf(b) - weightOf(a));
  const chosen =
    selection === "greedy" ? greedy(graph, known, weightOf, count) : known.slice(0, count);
  return prune ? onPaths(graph, chosen) : chosen;
}

function check(graph: EdgeGraph, asked: EdgeSelection): void {
  requireKnownOptions(OP, asked, OPTIONS);
  const { edges, threshold, selection, by } = asked;
  requireOneOf(OP, "selection", selection, [undefined, "top", "greedy"]);
  requireOneOf(OP, "by", by, [undefined, "magnitude", "importance"]);
  if ((edges === undefined) === (threshold === undefined)) {
    fail(OP, "give a number of edges, { edges: 50 }, or what they must reach, { threshold: 0.1 }");
  }
  if (edges !== undefined && (!isCount(edges) || edges > graph.edges.length)) {
    fail(OP, `edges must be a number from 0 to ${graph.edges.length}, got ${shown(edges)}`);
  }
  if (threshold !== undefined && !Number.isFinite(threshold)) {
    fail(OP, `threshold must be a number, got ${shown(threshold)}`);
  }
}

/** Edges into the end first, then into whatever was taken in. */
function greedy(
  graph: EdgeGraph,
  sorted: readonly ResidualEdge[],
  weightOf: (edge: ResidualEdge) => number,
  count: number,
): readonly ResidualEdge[] {
  const waiting = new Map(graph.receivers.map(({ name }): [string, ResidualEdge[]] => [name, []]));
  for (const edge of sorted.toReversed()) waiting.get(edge.receiver.name)?.push(edge);
  const isOpen = new Set(["logits"]);
  const isIn = new Set<string>();
  const chosen: ResidualEdge[] = [];
  while (chosen.length < count) {
    let best: ResidualEdge | undefined;
    for (const name of isOpen) {
      const next = waiting.get(name)?.at(-1);
      const isBetter =
        next !== undefined && (best === undefined || weightOf(next) > weightOf(best));
      if (isBetter) best = next;
    }
    if (best === undefined) break;
    chosen.push(best);
    waiting.get(best.receiver.name)?.pop();
    if (isIn.has(best.sender.name)) continue;
    isIn.add(best.sender.name);
    for (const receiver of graph.receivers) {
      if (graph.writersAfter(receiver).includes(best.sender.name)) isOpen.add(receiver.name);
    }
  }
  return chosen;
}
