import { fail } from "../../base/errors.ts";
import { range } from "../../base/lists.ts";
import { didYouMean } from "../../base/nearest.ts";
import { type ResidualEdge, residualEdges } from "../residual/residual-edges.ts";
import {
  isEdge,
  receiversOf,
  type ResidualNode,
  type ResidualShape,
  sendersOf,
} from "../residual/residual-nodes.ts";

/** All nodes and edges of a residual stream. */
export class EdgeGraph implements ResidualShape {
  readonly layers: ResidualShape["layers"];
  /** What writes, in order. */
  readonly senders: readonly ResidualNode[];
  /** What reads, in order. */
  readonly receivers: readonly ResidualNode[];
  /** Sender by sender. */
  readonly edges: readonly ResidualEdge[];
  readonly #byName: ReadonlyMap<string, ResidualEdge>;

  constructor({ layers }: ResidualShape) {
    this.layers = layers;
    this.senders = sendersOf(this);
    this.receivers = receiversOf(this);
    this.edges = residualEdges(this);
    this.#byName = new Map(this.edges.map((edge) => [edge.name, edge]));
  }

  /** Whether a receiver reads what a sender wrote. */
  hasEdge(sender: ResidualNode, receiver: ResidualNode): boolean {
    return isEdge(this, sender, receiver);
  }

  /** @throws TsveneError for a name of no edge. */
  edge(op: string, name: string): ResidualEdge {
    return (
      this.#byName.get(name) ??
      fail(op, `there is no edge ${name}; ${didYouMean(name, this.#byName.keys())}`)
    );
  }

  /** @throws TsveneError for a name of nothing that writes. */
  sender(op: string, name: string): ResidualNode {
    const names = this.senders.map((node) => node.name);
    return (
      this.senders[names.indexOf(name)] ??
      fail(op, `there is no node ${name} that writes; ${didYouMean(name, names)}`)
    );
  }

  /**
   * The nodes that write what comes of what a receiver reads: keys and values go into all heads of queries
   * that share them; of the end, none.
   */
  writersAfter({ kind, layer = 0, head = 0, reads }: ResidualNode): readonly string[] {
    if (kind === "logits") return [];
    if (kind === "mlp") return [`m${layer}`];
    const { heads = 1, keyHeads = 1 } = this.layers[layer] ?? {};
    const group = reads === "q" ? 1 : heads / keyHeads;
    return range(group).map((i) => `a${layer}.h${head * group + i}`);
  }

  /** What a receiver is part of: the nodes that write what comes of it, or the end. */
  nodesAfter(receiver: ResidualNode): readonly string[] {
    return receiver.kind === "logits" ? [receiver.name] : this.writersAfter(receiver);
  }

  /** Whether a receiver is the end, or something writes what comes of it that is among these nodes. */
  reaches(receiver: ResidualNode, nodes: ReadonlySet<string>): boolean {
    return (
      receiver.kind === "logits" || this.writersAfter(receiver).some((name) => nodes.has(name))
    );
  }
}

/** Of some edges, those on a path from the input to the end; in the order of the graph. */
export function onPaths(graph: EdgeGraph, edges: readonly ResidualEdge[]): readonly ResidualEdge[] {
  // Senders come in the order of what they read: one pass each way is enough.
  const ordered = edges.toSorted((a, b) => a.at - b.at);
  const isReached = new Set(["input"]);
  for (const { sender, receiver } of ordered) {
    if (!isReached.has(sender.name)) continue;
    for (const name of graph.writersAfter(receiver)) isReached.add(name);
  }
  const isUsed = new Set<string>();
  for (const { sender, receiver } of ordered.toReversed()) {
    if (graph.reaches(receiver, isUsed)) isUsed.add(sender.name);
  }
  return ordered.filter(
    ({ sender, receiver }) => isReached.has(sender.name) && graph.reaches(receiver, isUsed),
  );
}
