import { internal } from "../base/errors.ts";
import type { FileGraph, FileNode } from "../formats/onnx/onnx-content.ts";
import { pendingOperands, upstream } from "../tensor/graph.ts";
import { traits } from "../tensor/ops/traits.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Layout, renamedNode } from "./layout.ts";
import type { Looks } from "./operator.ts";
import { type Ground, translated } from "./trace.ts";
import { Host, knownNumbers, type Value } from "./values.ts";

/** What is known of a graph's values for inputs of some sizes, before anything is computed. */
export interface Facts {
  /** The nodes that run. */
  readonly layout: Layout;
  /** Numbers that are known, and what the others look like. */
  readonly values: ReadonlyMap<string, Host | Looks>;
  /** Multiply-adds of nodes. */
  readonly work: ReadonlyMap<FileNode, number>;
}

/** Makes facts of a graph by translating all of it once; nothing is computed. */
export function factsOf(graph: FileGraph, ground: Ground, layouts: Map<string, Layout>): Facts {
  const survey = new Survey(ground);
  survey.graph(graph);
  const key = survey.choices.join("");
  const layout = layouts.get(key) ?? new Layout(survey.nodes);
  layouts.set(key, layout);
  // The nodes of a layout are the same ones for all sizes, though their objects may be others.
  const work = new Map(layout.nodes.map((node, i) => [node, survey.works[i] ?? 0]));
  return { layout, values: survey.facts, work };
}

class Survey {
  readonly nodes: FileNode[] = [];
  readonly works: number[] = [];
  readonly choices: string[] = [];
  readonly facts = new Map<string, Host | Looks>();
  readonly #ground: Ground;
  readonly #values = new Map<string, Value>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  graph(graph: FileGraph): void {
    for (const node of graph.nodes) this.#node(node);
  }

  readonly #read = (name: string): Value | undefined =>
    this.#values.get(name) ?? this.#ground.weights.get(name)?.value ?? this.#ground.valueOf(name);

  #node(node: FileNode): void {
    const condition =
      node.op === "If" && node.domain === "" ? this.#read(node.inputs[0] ?? "") : undefined;
    const known = condition && knownNumbers(condition);
    if (condition !== undefined && known !== undefined) {
      this.#ground.noteUse(condition);
      this.#branch(node, known[0] !== 0);
      return;
    }
    const results = translated(this.#ground, node, this.#read);
    this.nodes.push(node);
    this.works.push(workOf(results, node.inputs.map(this.#read)));
    node.outputs.forEach((name, i) => {
      const value = results[i];
      if (name !== "" && value !== undefined) this.#settle(name, value);
    });
  }

  #settle(name: string, value: Value): void {
    this.#values.set(name, value);
    this.facts.set(
      name,
      value instanceof Host ? value : { shape: value.shape, dtype: value.dtype },
    );
  }

  /** The branch that holds stands in the place of the node. */
  #branch(node: FileNode, holds: boolean): void {
    this.choices.push(holds ? "1" : "0");
    const branch = node.attributes.get(holds ? "then_branch" : "else_branch");
    if (branch === undefined || !("graph" in branch)) internal("an If has no branch");
    const names = new Map<string, string>();
    const made = branch.graph.nodes.flatMap(({ outputs }) => outputs);
    for (const name of made) {
      if (this.#values.has(name)) names.set(name, `${node.outputs[0] ?? ""}/${name}`);
    }
    for (const inner of branch.graph.nodes) this.#node(renamedNode(inner, names));
    branch.graph.outputs.forEach(({ name }, i) => {
      const output = node.outputs[i] ?? "";
      const inner = names.get(name) ?? name;
      const value = this.#read(inner);
      if (output === "" || value === undefined) return;
      this.nodes.push(copied(inner, output));
      this.works.push(0);
      this.#settle(output, value);
    });
  }
}

function copied(from: string, to: string): FileNode {
  const plain = { name: "", domain: "", overload: "", attributes: new Map() };
  return { ...plain, op: "Identity", inputs: [from], outputs: [to] };
}

function workOf(
  results: readonly (Value | undefined)[],
  inputs: readonly (Value | undefined)[],
): number {
  const before = new Set(inputs);
  const tensors = results.filter((value) => value instanceof Tensor);
  const own = upstream(tensors, (t) => (before.has(t) ? [] : pendingOperands(t)));
  let sum = 0;
  for (const t of own) {
    if (before.has(t) || t.origin === undefined) continue;
    sum += traits[t.origin.op].multiplyAdds(t, t.origin.inputs);
  }
  return sum;
}
