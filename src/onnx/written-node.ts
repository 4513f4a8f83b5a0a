import { internal } from "../base/errors.ts";
import { nodeLabel } from "../formats/onnx/graphs-of.ts";
import type {
  FileAttribute,
  FileGraph,
  FileNode,
  FileTensor,
  FileValue,
} from "../formats/onnx/onnx-content.ts";
import { OnnxFileError } from "../formats/onnx/onnx-file-error.ts";
import type {
  OnnxAttribute,
  OnnxGraph,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from "../runtime/onnx/model.ts";

const nodes = new WeakMap<FileNode, OnnxNode>();
const tensors = new WeakMap<FileTensor, OnnxTensor>();

/** A node of a file as programs write it; always the same object for a node, which has one place in a program. */
export function writtenNode(node: FileNode): OnnxNode {
  const known = nodes.get(node);
  if (known !== undefined) return known;
  const { op, domain, inputs, outputs } = node;
  const attributes = [...node.attributes].map(([name, a]) => [name, written(a, node)] as const);
  const made: OnnxNode = {
    op,
    inputs,
    outputs,
    attributes: Object.fromEntries(attributes),
    ...(domain === "" ? {} : { domain }),
  };
  nodes.set(node, made);
  return made;
}

/** A tensor of a file as programs write it. */
export function writtenTensor(tensor: FileTensor): OnnxTensor {
  const known = tensors.get(tensor);
  if (known !== undefined) return known;
  const { name, dtype, dims, bytes } = tensor;
  const data = bytes?.() ?? internal(`the bytes of ${name} were not read`);
  const made = { name, dtype, dims, data };
  tensors.set(tensor, made);
  return made;
}

function written(a: FileAttribute, node: FileNode): OnnxAttribute {
  if ("tensor" in a) return { tensor: writtenTensor(a.tensor) };
  if ("graph" in a) return { graph: writtenGraph(a.graph) };
  if (!("other" in a) && !("reference" in a)) return a;
  const what = "other" in a ? a.other : "that names one of a function";
  throw new OnnxFileError(`${nodeLabel(node)} has an attribute ${what}, which is not read`);
}

function writtenGraph(graph: FileGraph): OnnxGraph {
  return {
    name: graph.name,
    nodes: graph.nodes.map(writtenNode),
    inputs: graph.inputs.map(writtenValue),
    outputs: graph.outputs.map(writtenValue),
    initializers: graph.initializers.map(writtenTensor),
  };
}

/** Sizes are left out: where they are wrong, ONNX Runtime would only warn. */
function writtenValue({ name, dtype }: FileValue): OnnxValue {
  return dtype === undefined ? { name, dtype: "float32", untyped: true } : { name, dtype };
}
