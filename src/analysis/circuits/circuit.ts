import type { TopLevelSpec } from "vega-lite";
import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import { isCount } from "../../base/is-count.ts";
import type { ResidualEdge } from "../residual/residual-edges.ts";
import type { ResidualShape } from "../residual/residual-nodes.ts";
import { type CircuitJSON, readCircuit, writeCircuit } from "./circuit-file.ts";
import { circuitPlot, type CircuitPlotOptions } from "./circuit-plot.ts";
import { EdgeGraph, onPaths } from "./edge-graph.ts";
import { randomEdges } from "./random-edges.ts";

/** The model that a circuit is a part of. */
export interface CircuitModel extends ResidualShape {
  /** Of the residual stream. */
  readonly width: number;
}

/** What a {@link Circuit} is made of. */
export interface CircuitFields extends CircuitModel {
  /** Names of edges, such as `a0.h1->m2` and `m0->a1.h3<q>`. */
  readonly edges: readonly string[];
  /** What edges are worth, by name; also of edges that are not in the circuit. @default nothing is known */
  readonly scores?: Readonly<Record<string, number>>;
}

const OP = "Circuit";

/**
 * A part of a model: edges, along which what one node of the residual stream writes is read by another.
 * Nodes are called as in EAP-IG's graphs: `input`, `a0.h1` for a head, `m0` for an MLP, `logits`. Plain data,
 * and never changed: what changes a circuit gives another one.
 */
export class Circuit implements CircuitFields {
  readonly layers: CircuitFields["layers"];
  readonly width: number;
  /** Names of its edges, in the order of senders. */
  readonly edges: readonly string[];
  readonly scores: Readonly<Record<string, number>>;
  readonly #graph: EdgeGraph;
  readonly #edges: readonly ResidualEdge[];

  /** @throws TsveneError for edges that the model does not have. */
  constructor({ layers, width, edges, scores = {} }: CircuitFields) {
    if (!Array.isArray(layers) || !Array.isArray(edges)) {
      fail(
        OP,
        "a circuit has layers, a width and a list of edges; scores.circuit({ edges: 50 }) gives one",
      );
    }
    this.layers = layers;
    this.width = width;
    this.scores = scores;
    this.#graph = new EdgeGraph({ layers });
    const unique = [...new Set(edges)].map((name) => this.#graph.edge(OP, name));
    this.#edges = unique.toSorted((a, b) => a.at - b.at);
    this.edges = this.#edges.map(({ name }) => name);
  }

  /** All edges of a model. */
  static whole({ layers, width }: CircuitModel): Circuit {
    const edges = new EdgeGraph({ layers }).edges.map(({ name }) => name);
    return new Circuit({ layers, width, edges });
  }

  /**
   * All edges between some nodes, the input and the end: a circuit of nodes, as that of indirect objects
   * (Wang et al., 2022), which keeps all MLPs.
   * @throws TsveneError for a node that the model does not have.
   */
  static ofNodes(
    { layers, width }: CircuitModel,
    nodes: readonly string[],
    { mlps = false }: { readonly mlps?: boolean } = {},
  ): Circuit {
    const graph = new EdgeGraph({ layers });
    const own = new Set(["input", ...nodes.map((name) => graph.sender(OP, name).name)]);
    if (mlps) for (const { kind, name } of graph.senders) if (kind === "mlp") own.add(name);
    const isKept = ({ sender, receiver }: ResidualEdge): boolean =>
      own.has(sender.name) && graph.reaches(receiver, own);
    const edges = graph.edges.filter(isKept).map(({ name }) => name);
    return new Circuit({ layers, width, edges });
  }

  /** A circuit of as many edges at random, each on a path from the input to the end: a control. */
  static random({ layers, width }: CircuitModel, edges: number, seed = 0): Circuit {
    const graph = new EdgeGraph({ layers });
    if (!isCount(edges) || edges > graph.edges.length) {
      fail(OP, `edges must be a number from 0 to ${graph.edges.length}, got ${shown(edges)}`);
    }
    const drawn = randomEdges(graph, edges, seed).map(({ name }) => name);
    return new Circuit({ layers, width, edges: drawn });
  }

  /** How many edges it has. */
  get size(): number {
    return this.edges.length;
  }

  /** How many edges the model has. */
  get modelSize(): number {
    return this.#graph.edges.length;
  }

  /** What its edges lead from and to, in order. */
  get nodes(): readonly string[] {
    const ends = this.#edges.flatMap(({ sender, receiver }) => [
      sender.name,
      receiver.kind === "logits" ? receiver.name : receiver.name.replace(/<.>$/, ""),
    ]);
    const own = new Set(ends);
    return [...this.#graph.senders.map(({ name }) => name), "logits"].filter((name) =>
      own.has(name),
    );
  }

  /** Whether an edge is in it. @throws TsveneError for what is no edge. */
  has(edge: string): boolean {
    return this.#edges.includes(this.#graph.edge(OP, edge));
  }

  /** Without edges that are on no path from the input to the end: the model's answer is the same. */
  pruned(): Circuit {
    return this.#with(onPaths(this.#graph, this.#edges).map(({ name }) => name));
  }

  /** The edges of either. @throws TsveneError for a circuit of another model. */
  union(other: Circuit): Circuit {
    this.#requireSameModel(other);
    return this.#with([...this.edges, ...other.edges], { ...other.scores, ...this.scores });
  }

  /** The edges of both. @throws TsveneError for a circuit of another model. */
  intersection(other: Circuit): Circuit {
    this.#requireSameModel(other);
    const own = new Set(other.edges);
    return this.#with(this.edges.filter((name) => own.has(name)));
  }

  /**
   * Without some nodes, whose edges lead nowhere then, and without some edges.
   * @throws TsveneError for what the model does not have.
   */
  without(names: readonly string[]): Circuit {
    const edges = new Set(
      names.filter((name) => name.includes("->")).map((name) => this.#graph.edge(OP, name)),
    );
    const nodes = new Set(
      names.filter((name) => !name.includes("->")).map((name) => this.#graph.sender(OP, name).name),
    );
    const kept = this.#edges.filter((edge) => !edges.has(edge) && !nodes.has(edge.sender.name));
    return this.#with(kept.map(({ name }) => name));
  }

  /**
   * A drawing as a Vega-Lite specification, for `saveSvg`: the input at the bottom and the logits at the top,
   * lines as wide as their scores, blue for what helps the answer and orange for what hurts it.
   */
  plot(options: CircuitPlotOptions = {}): TopLevelSpec {
    return circuitPlot(this, this.#edges, options);
  }

  /** A graph for Graphviz. */
  toDot(): string {
    const lines = this.#edges.map(({ sender, receiver, name }) => {
      const { [name]: score } = this.scores;
      const label = [receiver.reads, score?.toFixed(3)].filter((text) => text !== undefined);
      const to = receiver.name.replace(/<.>$/, "");
      return `  "${sender.name}" -> "${to}" [label="${label.join(" ")}"];`;
    });
    return ["digraph circuit {", "  rankdir=BT;", ...lines, "}"].join("\n");
  }

  /**
   * The form of EAP-IG's files, and of the MIB benchmark's: every node and edge of the model, with `in_graph`
   * and, where known, `score`. Keys and values that several heads share are there once for each of these.
   * @throws TsveneError where layers differ, which the form has no place for.
   */
  toJSON(): CircuitJSON {
    return writeCircuit(this, this.#graph);
  }

  /** The circuit of a file of this form. @throws TsveneError for what is none. */
  static fromJSON(json: CircuitJSON): Circuit {
    return new Circuit(readCircuit(json));
  }

  /** How many edges and nodes it has, and which nodes. */
  toString(): string {
    const { size, modelSize, nodes } = this;
    return `${size} of ${modelSize} edges, ${nodes.length} nodes: ${nodes.join(" ")}`;
  }

  #with(edges: readonly string[], scores = this.scores): Circuit {
    return new Circuit({ layers: this.layers, width: this.width, edges, scores });
  }

  #requireSameModel({ layers }: Circuit): void {
    if (JSON.stringify(layers) === JSON.stringify(this.layers)) return;
    fail(OP, "these are circuits of models with other layers or heads");
  }
}

printsItself(Circuit.prototype);
showsInNotebooks(Circuit.prototype, (one) => one.plot());
