import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { range } from "../../base/lists.ts";
import type { ResidualEdge } from "../residual/residual-edges.ts";
import type { CircuitFields } from "./circuit.ts";
import { EdgeGraph } from "./edge-graph.ts";

/** A node or an edge of a file. */
export interface CircuitPart {
  /** Whether it is in the circuit. */
  readonly in_graph: boolean;
  /** What it is worth. */
  readonly score?: number | null;
}

/** A circuit as EAP-IG's files have it. */
export interface CircuitJSON {
  /** What the model is. */
  readonly cfg: {
    readonly n_layers: number;
    readonly n_heads: number;
    readonly parallel_attn_mlp: boolean;
    readonly d_model: number;
    /** Heads of keys and values, where they are fewer. */
    readonly n_key_value_heads?: number;
  };
  /** By name. */
  readonly nodes: Readonly<Record<string, CircuitPart>>;
  /** By name. */
  readonly edges: Readonly<Record<string, CircuitPart>>;
}

const OP = "Circuit";

/** @throws TsveneError where layers differ. */
export function writeCircuit(
  {
    layers,
    width,
    edges,
    nodes,
    scores = {},
  }: CircuitFields & { readonly nodes: readonly string[] },
  graph: EdgeGraph,
): CircuitJSON {
  const [first] = layers;
  if (
    first === undefined ||
    layers.some((layer) => JSON.stringify(layer) !== JSON.stringify(first))
  ) {
    return fail(OP, "layers differ in their heads, which EAP-IG's files have no place for");
  }
  const { heads, keyHeads, isParallel } = first;
  const [own, isNode] = [new Set(edges), new Set(nodes)];
  const parts = graph.edges.flatMap((edge) => {
    const names = namesInFile(graph, edge);
    const { [edge.name]: score } = scores;
    const part: CircuitPart = {
      in_graph: own.has(edge.name),
      score: score === undefined ? null : score / names.length,
    };
    return names.map((name) => [name, part] as const);
  });
  const all = [...graph.senders.map(({ name }) => name), "logits"];
  return {
    cfg: {
      n_layers: layers.length,
      n_heads: heads,
      parallel_attn_mlp: isParallel,
      d_model: width,
      ...(keyHeads === heads ? {} : { n_key_value_heads: keyHeads }),
    },
    nodes: Object.fromEntries(
      all.map((name) => [name, { in_graph: name === "logits" || isNode.has(name) }]),
    ),
    edges: Object.fromEntries(parts),
  };
}

/** @throws TsveneError for what is no such file. */
export function readCircuit(json: CircuitJSON): CircuitFields {
  const { cfg, edges } = json ?? {};
  if (typeof cfg !== "object" || cfg === null || typeof edges !== "object" || edges === null) {
    fail(
      OP,
      `expected { cfg, nodes, edges }, as EAP-IG writes circuits, got ${describeValue(json)}`,
    );
  }
  const { n_layers: count, n_heads: heads, parallel_attn_mlp: isParallel, d_model } = cfg;
  if (!isCount(count) || !isCount(heads) || count < 1 || heads < 1) {
    fail(OP, `cfg must have n_layers and n_heads, got ${JSON.stringify(cfg)}`);
  }
  const { n_key_value_heads: keyHeads = heads } = cfg;
  const layers = range(count).map(() => ({ heads, keyHeads, isParallel }));
  const graph = new EdgeGraph({ layers });
  const scores: Record<string, number> = {};
  const own: string[] = [];
  const isKnown = new Set<string>();
  for (const edge of graph.edges) {
    const names = namesInFile(graph, edge);
    for (const name of names) isKnown.add(name);
    const parts = names.flatMap((name) => edges[name] ?? []);
    if (parts.some((part) => part.in_graph)) own.push(edge.name);
    const known = parts.flatMap(({ score }) => score ?? []);
    if (known.length > 0) scores[edge.name] = known.reduce((sum, score) => sum + score, 0);
  }
  const unknown = Object.keys(edges).find((name) => !isKnown.has(name));
  if (unknown !== undefined) {
    fail(OP, `${unknown} is no edge of ${count} layers of ${heads} heads, which cfg says`);
  }
  return { layers, width: d_model, edges: own, scores };
}

/** One name, or of shared keys and values one for each head of queries. */
function namesInFile(
  graph: EdgeGraph,
  { sender, receiver, name }: ResidualEdge,
): readonly string[] {
  if (receiver.reads === undefined || receiver.reads === "q") return [name];
  return graph.writersAfter(receiver).map((head) => `${sender.name}->${head}<${receiver.reads}>`);
}
