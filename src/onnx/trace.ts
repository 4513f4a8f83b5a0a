import { internal, TsveneError } from "../base/errors.ts";
import { nodeLabel, readBy } from "../formats/onnx/graphs-of.ts";
import type { FileGraph, FileNode } from "../formats/onnx/onnx-content.ts";
import { fail } from "../nn/errors.ts";
import { OnnxPart } from "../runtime/onnx/part.ts";
import { Foreign } from "../tensor/ops/foreign.ts";
import { apply } from "../tensor/ops/apply.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { HeldWeight } from "./held-weights.ts";
import { Call, type Given, type Looks } from "./operator.ts";
import { operatorOf } from "./operators/table.ts";
import { Host, lifted, type Value } from "./values.ts";
import { writtenNode, writtenTensor } from "./written-node.ts";

/** What a trace of nodes stands on. */
export interface Ground {
  /** The file's tensors by name. */
  readonly weights: ReadonlyMap<string, HeldWeight>;
  /** A value by name, or undefined for one that is not known. */
  readonly valueOf: (name: string) => Value | undefined;
  /** Has a value read or edited by whoever watches it. */
  readonly pass: (name: string, value: Value) => Value;
  /** Takes note that what is traced holds only for the numbers of a tensor. */
  readonly noteUse: (value: Value) => void;
  /** What the results of a node look like that has no translation. */
  readonly looksOf: (node: FileNode, inputs: readonly (Value | undefined)[]) => readonly Looks[];
}

let serial = 0;
const keys = new WeakMap<FileNode, number>();

/** Values of a graph within a graph, and around it. */
type Scope = (name: string) => Value | undefined;

/** Translates one node: the values that it makes, in order. */
export function translated(
  ground: Ground,
  node: FileNode,
  scope: Scope,
): readonly (Value | undefined)[] {
  const read = (name: string): Value | undefined => {
    if (name === "") return undefined;
    return scope(name) ?? internal(`${nodeLabel(node)} reads ${name}, which is not there`);
  };
  const inputs = node.inputs.map(read);
  const around = {
    run: (graph: FileGraph, given: readonly Value[]) => runGraph(ground, graph, given, scope),
    native: (own: FileNode, given: readonly (Value | undefined)[], looks: readonly Looks[]) =>
      nativeNode(ground, own, given, looks, scope),
    noteUse: ground.noteUse,
  };
  const operator = operatorOf(node);
  if (operator === undefined) {
    return nativeNode(ground, node, inputs, ground.looksOf(node, inputs), scope);
  }
  return listed(named(node, () => operator.translate(new Call(node, inputs, around))));
}

function listed(given: Given): readonly (Value | undefined)[] {
  return given instanceof Tensor || given instanceof Host ? [given] : given;
}

/** Errors of tensors say which node they are of. */
function named<T>(node: FileNode, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof TsveneError) || error.message.includes("the node ")) throw error;
    return fail("OnnxModel", `the node ${nodeLabel(node)} cannot be computed: ${error.message}`);
  }
}

/** Runs a graph that a node has, with values for its inputs. */
function runGraph(
  ground: Ground,
  graph: FileGraph,
  given: readonly Value[],
  around: Scope,
): Value[] {
  const own = new Map<string, Value>();
  graph.inputs.forEach(({ name }, i) => {
    const value = given[i];
    if (value !== undefined) own.set(name, ground.pass(name, value));
  });
  const scope: Scope = (name) => own.get(name) ?? heldIn(ground, graph, name) ?? around(name);
  for (const node of graph.nodes) {
    const values = translated(ground, node, scope);
    node.outputs.forEach((name, i) => {
      const value = values[i];
      if (name !== "" && value !== undefined) own.set(name, ground.pass(name, value));
    });
  }
  return graph.outputs.map(({ name }) => scope(name) ?? internal(`${name} was not computed`));
}

function heldIn({ weights }: Ground, graph: FileGraph, name: string): Value | undefined {
  const isOwn = graph.initializers.some((t) => t.name === name);
  return isOwn ? weights.get(name)?.value : undefined;
}

/** One node as a part of its own, which ONNX Runtime computes. */
function nativeNode(
  { weights }: Ground,
  node: FileNode,
  given: readonly (Value | undefined)[],
  looks: readonly Looks[],
  scope: Scope,
): Value[] {
  const names = [...new Set(readBy(node))];
  const written = names.flatMap((name) => {
    const weight = weights.get(name);
    const at = node.inputs.indexOf(name);
    const isSame = at < 0 || given[at] === weight?.value || given[at] instanceof Host;
    return weight?.isWritten === true && isSame ? [weight] : [];
  });
  const inside = new Set(written.map(({ name }) => name));
  const inputs = names.filter((name) => !inside.has(name));
  const tensors = inputs.map((name) => {
    const value = given[node.inputs.indexOf(name)] ?? scope(name);
    return lifted(value ?? internal(`${name} is not there`));
  });
  const key = keys.get(node) ?? serial++;
  keys.set(node, key);
  return looks.map(({ shape, dtype }, i) => {
    const output = node.outputs[i] ?? "";
    const facts = {
      label: `the node ${nodeLabel(node)} (${node.op})`,
      shape,
      dtype,
      multiplyAdds: 0,
      body: new OnnxPart({
        inputs,
        initializers: written.map(({ file }) => writtenTensor(file)),
        nodes: [writtenNode(node)],
        output,
      }),
    };
    const held = written.map(({ name }) => name).join(",");
    return apply("foreign", tensors, new Foreign(`node ${key}.${i} ${held}`, facts));
  });
}
