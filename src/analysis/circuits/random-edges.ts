import { Generator } from "../../tensor/random/generator.ts";
import type { ResidualEdge } from "../residual/residual-edges.ts";
import { drawn } from "../results/drawn.ts";
import type { EdgeGraph } from "./edge-graph.ts";

/**
 * So many edges at random, each on a path from the input to the end: whole paths, walked backwards from the
 * end, as long as there is room for them, then edges between nodes that are on some.
 */
export function randomEdges(
  graph: EdgeGraph,
  count: number,
  seed: number,
): readonly ResidualEdge[] {
  const generator = new Generator(seed);
  const into = edgesInto(graph);
  const chosen = new Set<ResidualEdge>();
  const nodes = new Set(["input"]);
  for (let tries = 0; chosen.size < count && tries < count; tries++) {
    const path = walk(into, generator).filter((edge) => !chosen.has(edge));
    if (chosen.size + path.length > count) break;
    for (const edge of path) {
      chosen.add(edge);
      nodes.add(edge.sender.name);
    }
  }
  const inner = graph.edges.filter(
    (edge) =>
      !chosen.has(edge) && nodes.has(edge.sender.name) && graph.reaches(edge.receiver, nodes),
  );
  return [...chosen, ...drawn(inner, count - chosen.size, generator)];
}

/** Edges by the node that they lead to. */
function edgesInto(graph: EdgeGraph): ReadonlyMap<string, readonly ResidualEdge[]> {
  const into = new Map<string, ResidualEdge[]>();
  for (const edge of graph.edges) {
    for (const name of graph.nodesAfter(edge.receiver)) {
      const own = into.get(name);
      if (own === undefined) into.set(name, [edge]);
      else own.push(edge);
    }
  }
  return into;
}

function walk(
  into: ReadonlyMap<string, readonly ResidualEdge[]>,
  generator: Generator,
): readonly ResidualEdge[] {
  const path: ResidualEdge[] = [];
  let node = "logits";
  while (node !== "input") {
    const edges = into.get(node) ?? [];
    const edge = edges[generator.integer(edges.length)];
    if (edge === undefined) break;
    path.push(edge);
    node = edge.sender.name;
  }
  return path;
}
