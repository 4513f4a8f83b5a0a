import type { FileGraph, FileNode } from "./onnx-content.ts";

/** The graphs that a node runs, such as the branches of an If. */
export function graphsOf({ attributes }: Pick<FileNode, "attributes">): readonly FileGraph[] {
  return [...attributes.values()].flatMap((a) => ("graph" in a ? [a.graph] : []));
}

/** Names of the values that a node reads, and of those around them that its graphs read. */
export function readBy(node: FileNode): readonly string[] {
  const named = node.inputs.filter((name) => name !== "");
  return [...named, ...graphsOf(node).flatMap(readFromAround)];
}

/** Names of the values that a graph reads from the one that it stands in. */
function readFromAround(graph: FileGraph): readonly string[] {
  const own = new Set(ownNames(graph));
  const read = [...graph.nodes.flatMap(readBy), ...graph.outputs.map(({ name }) => name)];
  return read.filter((name) => !own.has(name));
}

/** Names of all values that a graph itself has. */
export function ownNames({ inputs, initializers, nodes }: FileGraph): readonly string[] {
  return [
    ...inputs.map(({ name }) => name),
    ...initializers.map(({ name }) => name),
    ...nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== "")),
  ];
}

/** What messages call a node: its name, or what it makes. */
export function nodeLabel({
  op,
  name,
  outputs,
}: Pick<FileNode, "op" | "name" | "outputs">): string {
  const called = name === "" ? (outputs.find((output) => output !== "") ?? "") : name;
  return `${op} ${JSON.stringify(called)}`;
}
