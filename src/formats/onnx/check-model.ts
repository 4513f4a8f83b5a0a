import { nearestNames } from "../../base/nearest.ts";
import { graphsOf, nodeLabel, readBy } from "./graphs-of.ts";
import type { FileGraph, FileModel, FileNode } from "./onnx-content.ts";
import { OnnxFileError } from "./onnx-file-error.ts";

/** The first version of ONNX's operators that is read: since then they broadcast as they do today. */
const FIRST_OPSET = 7;

/** How often a suggestion is looked for among names; beyond it a message is made without. */
const MOST_NAMES = 20_000;

/**
 * A model whose graphs are whole: each value is made once, and before it is read. The nodes of graphs are
 * put in that order.
 *
 * @throws OnnxFileError with the node's name for values that nothing makes, that are made twice, or that
 * are needed to make themselves; and for versions before 7.
 */
export function checkModel(model: FileModel, file: string): FileModel {
  const version = model.opsets.get("");
  if (version !== undefined && version < FIRST_OPSET) {
    throw new OnnxFileError(
      `${file}: it uses version ${version} of ONNX's operators, and those from ${FIRST_OPSET} on are read; convert ` +
        "it with onnx.version_converter.convert_version(model, 17)",
    );
  }
  return { ...model, graph: checked(model.graph, file, new Set()) };
}

function checked(graph: FileGraph, file: string, around: ReadonlySet<string>): FileGraph {
  const makers = makersOf(graph, file);
  const given = [...graph.inputs, ...graph.initializers].map(({ name }) => name);
  const known = new Set([...around, ...given, ...makers.keys()]);
  for (const { name } of graph.outputs) {
    if (!known.has(name)) {
      throw new OnnxFileError(
        `${file}: nothing makes ${JSON.stringify(name)}, an output of the graph ${JSON.stringify(graph.name)}` +
          suggestion(name, known),
      );
    }
  }
  const nodes = inOrder(
    graph.nodes,
    makers,
    (node, name) => {
      if (known.has(name)) return;
      throw new OnnxFileError(
        `${file}: the node ${nodeLabel(node)} reads ${JSON.stringify(name)}, which nothing makes` +
          suggestion(name, known),
      );
    },
    file,
  );
  return { ...graph, nodes: nodes.map((node) => withCheckedGraphs(node, file, known)) };
}

function suggestion(name: string, known: ReadonlySet<string>): string {
  if (known.size > MOST_NAMES || name.length > 200) return "";
  const [nearest] = nearestNames(
    name,
    [...known].filter(({ length }) => length <= 200),
    1,
  );
  return nearest === undefined ? "" : `; the nearest name is ${JSON.stringify(nearest)}`;
}

function withCheckedGraphs(node: FileNode, file: string, around: ReadonlySet<string>): FileNode {
  if (graphsOf(node).length === 0) return node;
  const attributes = new Map(node.attributes);
  for (const [name, attribute] of attributes) {
    if ("graph" in attribute) {
      attributes.set(name, { graph: checked(attribute.graph, file, around) });
    }
  }
  return { ...node, attributes };
}

/** The node that makes each value; each is made by one, and is no input or tensor of the file. */
function makersOf(graph: FileGraph, file: string): ReadonlyMap<string, FileNode> {
  const inputs = named(graph.inputs, "input", graph, file);
  const held = named(graph.initializers, "tensor", graph, file);
  const makers = new Map<string, FileNode>();
  for (const node of graph.nodes) {
    if (node.op === "") {
      throw new OnnxFileError(`${file}: a node has no operator, ${nodeLabel(node)}`);
    }
    for (const name of node.outputs) {
      if (name === "") continue;
      const other = makers.get(name);
      const also = other === undefined ? "" : `the node ${nodeLabel(other)}`;
      const what = held.has(name) ? "a tensor of the file" : also;
      const before = inputs.has(name) ? "an input" : what;
      if (before !== "") {
        throw new OnnxFileError(
          `${file}: two things have the name ${JSON.stringify(name)}: what the node ${nodeLabel(node)} makes, and ${before}`,
        );
      }
      makers.set(name, node);
    }
  }
  return makers;
}

function named(
  values: readonly { readonly name: string }[],
  what: string,
  graph: FileGraph,
  file: string,
): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name } of values) {
    const where = `in the graph ${JSON.stringify(graph.name)}`;
    if (name === "") throw new OnnxFileError(`${file}: one of the ${what}s ${where} has no name`);
    if (names.has(name)) {
      throw new OnnxFileError(
        `${file}: two of the ${what}s ${where} have the name ${JSON.stringify(name)}`,
      );
    }
    names.add(name);
  }
  return names;
}

/** The nodes, each after those that it reads, and otherwise as they come. */
function inOrder(
  nodes: readonly FileNode[],
  makers: ReadonlyMap<string, FileNode>,
  check: (node: FileNode, name: string) => void,
  file: string,
): FileNode[] {
  const sorted = new Set<FileNode>();
  const open = new Set<FileNode>();
  for (const first of nodes) {
    const stack = [first];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      if (sorted.has(node)) {
        stack.pop();
        continue;
      }
      const isSecond = open.has(node);
      open.add(node);
      const missing = new Set<FileNode>();
      for (const name of readBy(node)) {
        check(node, name);
        const maker = makers.get(name);
        if (maker !== undefined && !sorted.has(maker)) missing.add(maker);
      }
      if (missing.size === 0) sorted.add(node);
      else if (isSecond || missing.has(node)) {
        throw new OnnxFileError(
          `${file}: the node ${nodeLabel(node)} needs what it makes itself: a cycle`,
        );
      } else stack.push(...missing);
    }
  }
  return [...sorted];
}
