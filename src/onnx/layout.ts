import { readBy } from "../formats/onnx/graphs-of.ts";
import type { FileAttribute, FileGraph, FileNode } from "../formats/onnx/onnx-content.ts";
import { Foreign } from "../tensor/ops/foreign.ts";
import type { Looks } from "./operator.ts";
import { OnnxPart } from "../runtime/onnx/part.ts";
import type { HeldWeight } from "./held-weights.ts";
import { writtenNode, writtenTensor } from "./written-node.ts";

/** Sets of values that are remembered, beyond which all are made anew. */
const MOST_SETS = 50_000;

let serial = 0;

/** The nodes that run for inputs of some sizes: of each If, those of the branch that holds. */
export class Layout {
  /** Each after those that it reads. */
  readonly nodes: readonly FileNode[];
  /** The node that makes each value. */
  readonly makers: ReadonlyMap<string, FileNode>;
  /** Where each value stands among the nodes. */
  readonly order: ReadonlyMap<string, number>;
  readonly #slices = new Map<string, Slice>();
  /** Sets of values that are there, by the set before and the value that came to it. */
  readonly #sets = new Map<string, string>();

  constructor(nodes: readonly FileNode[]) {
    this.nodes = nodes;
    const makers = new Map<string, FileNode>();
    const order = new Map<string, number>();
    nodes.forEach((node, place) => {
      for (const name of node.outputs) {
        if (name === "") continue;
        makers.set(name, node);
        order.set(name, place);
      }
    });
    this.makers = makers;
    this.order = order;
  }

  /** What a set of values that are there is called, once another value is. */
  setWith(set: string, name: string): string {
    if (this.#sets.size > MOST_SETS) {
      this.#sets.clear();
      this.#slices.clear();
    }
    const key = `${set}+${name}`;
    const known = this.#sets.get(key) ?? `set ${serial++}`;
    this.#sets.set(key, known);
    return known;
  }

  /**
   * The nodes that compute a value from others.
   *
   * @param given Which values are there already.
   * @param key Equal where the same values are there.
   */
  slice(output: string, given: (name: string) => boolean, key: string, weights: Weights): Slice {
    const full = `${key}|${output}`;
    const known = this.#slices.get(full);
    if (known !== undefined) return known;
    const made = new Slice(this, output, given, weights);
    this.#slices.set(full, made);
    return made;
  }
}

/** The tensors of a file by name. */
type Weights = ReadonlyMap<string, HeldWeight>;

/** Nodes that compute one value, as a part of programs. */
export class Slice {
  /** Names of the values that it reads. */
  readonly inputs: readonly string[];
  readonly #nodes: readonly FileNode[];
  readonly #part: OnnxPart;
  readonly #key: string;
  readonly #label: string;

  constructor(
    { makers, order }: Layout,
    output: string,
    given: (name: string) => boolean,
    weights: Weights,
  ) {
    const nodes = new Set<FileNode>();
    const inputs = new Set<string>();
    const written = new Map<string, HeldWeight>();
    const seen = new Set<string>();
    const stack = [output];
    for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      const maker = given(name) ? undefined : makers.get(name);
      const weight = maker === undefined && !given(name) ? weights.get(name) : undefined;
      if (maker !== undefined) {
        nodes.add(maker);
        stack.push(...readBy(maker));
      } else if (weight?.isWritten === true) written.set(name, weight);
      else inputs.add(name);
    }
    const place = (node: FileNode): number =>
      order.get(node.outputs.find((o) => o !== "") ?? "") ?? 0;
    this.#nodes = [...nodes].sort((a, b) => place(a) - place(b));
    this.inputs = [...inputs];
    this.#part = new OnnxPart({
      inputs: this.inputs,
      initializers: [...written.values()].map(({ file }) => writtenTensor(file)),
      nodes: this.#nodes.map(writtenNode),
      output,
    });
    this.#key = `slice ${serial++}`;
    this.#label = `the part of an ONNX file that computes ${JSON.stringify(output)}`;
  }

  /** The slice as an operation, for inputs of certain sizes. */
  operation({ shape, dtype }: Looks, work: ReadonlyMap<FileNode, number>): Foreign {
    const multiplyAdds = this.#nodes.reduce((sum, node) => sum + (work.get(node) ?? 0), 0);
    return new Foreign(this.#key, {
      label: this.#label,
      shape,
      dtype,
      multiplyAdds,
      body: this.#part,
    });
  }
}

/** A node with other names for values, in its graphs as well. */
export function renamedNode(node: FileNode, names: ReadonlyMap<string, string>): FileNode {
  if (names.size === 0) return node;
  const rename = (name: string): string => names.get(name) ?? name;
  const attributes = new Map<string, FileAttribute>();
  for (const [name, a] of node.attributes) {
    attributes.set(name, "graph" in a ? { graph: renamedGraph(a.graph, names) } : a);
  }
  return {
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    attributes,
  };
}

/** What a graph reads from around it, by other names. */
function renamedGraph(graph: FileGraph, names: ReadonlyMap<string, string>): FileGraph {
  const outer = new Map(names);
  const own = [...graph.inputs, ...graph.initializers].map(({ name }) => name);
  for (const name of [...own, ...graph.nodes.flatMap(({ outputs }) => outputs)]) outer.delete(name);
  return { ...graph, nodes: graph.nodes.map((node) => renamedNode(node, outer)) };
}
