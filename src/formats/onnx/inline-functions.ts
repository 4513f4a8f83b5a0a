import { nodeLabel } from "./graphs-of.ts";
import type {
  FileAttribute,
  FileFunction,
  FileGraph,
  FileModel,
  FileNode,
} from "./onnx-content.ts";
import { OnnxFileError } from "./onnx-file-error.ts";

/** Nodes that a model may have after its functions were written out, beside so many for each of the file. */
const LEAST_NODES = 50_000;
const NODES_A_NODE = 20;

/**
 * The same model with each call of one of its functions written out. Values of a function's body are called
 * after the node that calls it: `node/value`.
 *
 * @throws OnnxFileError for functions that call themselves.
 */
export function inlineFunctions(model: FileModel, file: string): FileModel {
  if (model.functions.length === 0) return model;
  const functions = new Map(model.functions.map((f) => [keyOf(f.domain, f.name, f.overload), f]));
  for (const { name, opsets } of model.functions) {
    for (const [domain, version] of opsets) {
      const own = model.opsets.get(domain);
      if (own === undefined || own === version) continue;
      throw new OnnxFileError(
        `${file}: the function ${name} uses version ${version} of the operators ${JSON.stringify(domain)}, the model version ` +
          `${own}; convert it to one version`,
      );
    }
  }
  const nodes = [model.graph, ...model.functions].reduce((sum, g) => sum + g.nodes.length, 0);
  const inliner = new Inliner(file, functions, LEAST_NODES + NODES_A_NODE * nodes);
  return { ...model, graph: inliner.graph(model.graph, []), functions: [] };
}

const keyOf = (domain: string, op: string, overload: string): string =>
  `${domain}:${op}:${overload}`;

class Inliner {
  readonly #file: string;
  readonly #functions: ReadonlyMap<string, FileFunction>;
  #left: number;

  constructor(file: string, functions: ReadonlyMap<string, FileFunction>, left: number) {
    this.#file = file;
    this.#functions = functions;
    this.#left = left;
  }

  graph(graph: FileGraph, calls: readonly string[]): FileGraph {
    return { ...graph, nodes: graph.nodes.flatMap((node) => this.#node(node, calls)) };
  }

  #node(node: FileNode, calls: readonly string[]): FileNode[] {
    if (this.#left-- <= 0) {
      throw new OnnxFileError(
        `${this.#file}: its functions call each other too often to be written out`,
      );
    }
    const attributes = new Map(node.attributes);
    for (const [name, a] of attributes) {
      if ("graph" in a) attributes.set(name, { graph: this.graph(a.graph, calls) });
    }
    const key = keyOf(node.domain, node.op, node.overload);
    const called = this.#functions.get(key);
    if (called === undefined) return [{ ...node, attributes }];
    if (calls.includes(key)) {
      throw new OnnxFileError(
        `${this.#file}: the function ${node.op} calls itself, in ${nodeLabel(node)}`,
      );
    }
    return bodyOf(called, { ...node, attributes }).flatMap((inner) =>
      this.#node(inner, [...calls, key]),
    );
  }
}

/** The nodes of a function's body, with the names and the attributes of one call. */
function bodyOf(called: FileFunction, call: FileNode): FileNode[] {
  const label =
    call.name === "" ? (call.outputs.find((name) => name !== "") ?? called.name) : call.name;
  const names = new Map<string, string>();
  called.inputs.forEach((name, i) => names.set(name, call.inputs[i] ?? ""));
  called.outputs.forEach((name, i) => {
    // An output that is an input as well is copied below.
    if (!names.has(name)) names.set(name, call.outputs[i] ?? "");
  });
  const attributes = new Map([...called.defaults, ...call.attributes]);
  const scope: Scope = { names, prefix: `${label}/`, attributes };
  const copies = called.outputs.flatMap((name, i) =>
    called.inputs.includes(name) ? [copy(names.get(name) ?? "", call.outputs[i] ?? "")] : [],
  );
  return [...called.nodes.map((node) => renamed(node, scope)), ...copies];
}

function copy(from: string, to: string): FileNode {
  return {
    name: "",
    op: "Identity",
    domain: "",
    overload: "",
    inputs: [from],
    outputs: [to],
    attributes: new Map(),
  };
}

/** What names and attributes of a body mean where it is called. */
interface Scope {
  readonly names: ReadonlyMap<string, string>;
  readonly prefix: string;
  readonly attributes: ReadonlyMap<string, FileAttribute>;
}

function renamed(node: FileNode, scope: Scope): FileNode {
  const { names, prefix } = scope;
  const rename = (name: string): string => {
    const known = names.get(name);
    return known ?? (name === "" ? "" : prefix + name);
  };
  // An output that the call does not ask for may still be read within.
  const made = (name: string): string => (names.get(name) === "" ? prefix + name : rename(name));
  const attributes = new Map<string, FileAttribute>();
  for (const [name, a] of node.attributes) {
    if ("graph" in a) attributes.set(name, { graph: renamedGraph(a.graph, scope) });
    else if (!("reference" in a)) attributes.set(name, a);
    else {
      const given = scope.attributes.get(a.reference);
      if (given !== undefined) attributes.set(name, given);
    }
  }
  return {
    ...node,
    name: node.name === "" ? "" : prefix + node.name,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(made),
    attributes,
  };
}

function renamedGraph(graph: FileGraph, scope: Scope): FileGraph {
  const rename = (name: string): string => scope.names.get(name) ?? scope.prefix + name;
  const value = <V extends { readonly name: string }>(v: V): V => ({ ...v, name: rename(v.name) });
  return {
    name: graph.name,
    nodes: graph.nodes.map((node) => renamed(node, scope)),
    initializers: graph.initializers.map(value),
    inputs: graph.inputs.map(value),
    outputs: graph.outputs.map(value),
    values: graph.values.map(value),
  };
}
