import { internal } from "../../base/errors.ts";
import type { Foreign } from "../../tensor/ops/foreign.ts";
import type { OnnxGraph, OnnxNode } from "../onnx/model.ts";
import { OnnxPart } from "../onnx/part.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { Lower } from "./lower.ts";

/** Names of a part's values in the program. */
type Names = Map<string, string>;

/** Numbers of nodes and tensors, so that what several parts have in common is in a program once. */
const numbers = new WeakMap<object, number>();
let next = 0;

function numberOf(thing: object): number {
  const known = numbers.get(thing);
  if (known !== undefined) return known;
  numbers.set(thing, next);
  return next++;
}

/** Writes the nodes of a part of another model as they are, but for the names of values. */
export const foreign: Lower<Foreign> = ({ graph, inputs, attributes }) => {
  const { body } = attributes.facts;
  if (!(body instanceof OnnxPart)) {
    return internal("a foreign operation is no part of an ONNX model");
  }
  const names: Names = new Map(body.inputs.map((name, i) => [name, inputs[i] ?? ""]));
  for (const t of body.initializers) {
    names.set(t.name ?? "", graph.held(`k${numberOf(t)}`, t));
  }
  for (const node of body.nodes) writeNode(graph, node, names);
  return names.get(body.output) ?? internal(`nothing computes ${body.output}`);
};

function writeNode(graph: GraphBuilder, node: OnnxNode, names: Names): void {
  const number = numberOf(node);
  const inputs = node.inputs.map((name) => (name === "" ? "" : nameIn(names, name)));
  const captured: string[] = [];
  const around = (name: string): string => {
    const outer = nameIn(names, name);
    captured.push(outer);
    return outer;
  };
  const attributes = Object.entries(node.attributes ?? {}).map(([name, a]) => {
    if (!("graph" in a)) return [name, a] as const;
    return [name, { graph: inner(a.graph, `b${number}_${name}_`, around) }] as const;
  });
  const written = { ...node, inputs, attributes: Object.fromEntries(attributes) };
  // Bodies read from around them, and so differ where that does.
  const outputs = graph.foreign(written, `${number}:${inputs.join(",")}:${captured.join(",")}`);
  node.outputs.forEach((name, i) => {
    if (name !== "") names.set(name, outputs[i] ?? internal(`${node.op} has no output ${i}`));
  });
}

function nameIn(names: Names, name: string): string {
  return names.get(name) ?? internal(`a part reads ${name}, which it does not have`);
}

/** A graph that a node runs, with names of its own that are nowhere else. */
function inner(graph: OnnxGraph, prefix: string, around: (name: string) => string): OnnxGraph {
  const own: Names = new Map();
  const declare = (name: string): void => void own.set(name, prefix + name);
  for (const { name } of graph.inputs) declare(name);
  for (const { name = "" } of graph.initializers ?? []) declare(name);
  for (const { outputs } of graph.nodes) for (const name of outputs) declare(name);
  const read = (name: string): string => (name === "" ? "" : (own.get(name) ?? around(name)));
  const made = (name: string): string => (name === "" ? "" : (own.get(name) ?? name));
  const named = <V extends { readonly name?: string }>(v: V): V => ({
    ...v,
    name: made(v.name ?? ""),
  });
  return {
    name: prefix + graph.name,
    inputs: graph.inputs.map(named),
    outputs: graph.outputs.map(named),
    initializers: (graph.initializers ?? []).map(named),
    nodes: graph.nodes.map((node, i) => ({
      ...node,
      name: `${prefix}${i}`,
      inputs: node.inputs.map(read),
      outputs: node.outputs.map(made),
      attributes: Object.fromEntries(
        Object.entries(node.attributes ?? {}).map(([name, a]) => [
          name,
          "graph" in a ? { graph: inner(a.graph, `${prefix}${i}_${name}_`, read) } : a,
        ]),
      ),
    })),
  };
}
