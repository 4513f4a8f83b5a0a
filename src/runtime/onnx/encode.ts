import { PbfWriter } from "pbf";
import { onnxDTypeCode } from "./element-types.ts";
import type {
  OnnxAttribute,
  OnnxExternalTensor,
  OnnxGraph,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from "./model.ts";

export interface EncodeOptions {
  /** Version of ONNX's operators. @default 23 */
  readonly opset?: number;
}

/** The file format's version that belongs to opset 23; ONNX Runtime 1.30 reads up to 13. */
const IR_VERSION = 11;

/** Field numbers below are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. */
const EXTERNAL = 1;

/**
 * Writes a graph as the bytes of an ONNX model. ONNX Runtime's own operators (domain
 * `com.microsoft`, version 1) can always be used. Nothing is checked here: a wrong graph is
 * ONNX Runtime's error when a session is made of the bytes.
 *
 * @example
 * ```ts
 * const model = encodeModel({
 *   name: "double",
 *   inputs: [{ name: "x", dtype: "float32", rank: 2 }],
 *   outputs: [{ name: "y", dtype: "float32", rank: 2 }],
 *   nodes: [{ op: "Add", inputs: ["x", "x"], outputs: ["y"] }],
 * });
 * ```
 */
export function encodeModel(
  graph: OnnxGraph,
  { opset = 23 }: EncodeOptions = {},
): Uint8Array<ArrayBuffer> {
  const writer = new PbfWriter(new Uint8Array(4096));
  writer.writeVarintField(1, IR_VERSION);
  writer.writeStringField(2, "tsvene");
  writer.writeMessage(7, writeGraph, graph);
  writer.writeMessage(8, writeOpset, { domain: "", version: opset });
  writer.writeMessage(8, writeOpset, { domain: "com.microsoft", version: 1 });
  return writer.finish() as Uint8Array<ArrayBuffer>;
}

function writeOpset(opset: { domain: string; version: number }, writer: PbfWriter): void {
  writer.writeStringField(1, opset.domain);
  writer.writeVarintField(2, opset.version);
}

function writeGraph(graph: OnnxGraph, writer: PbfWriter): void {
  for (const node of graph.nodes) writer.writeMessage(1, writeNode, node);
  writer.writeStringField(2, graph.name);
  for (const tensor of graph.initializers ?? []) writer.writeMessage(5, writeTensor, tensor);
  for (const value of graph.inputs) writer.writeMessage(11, writeValue, value);
  for (const value of graph.outputs) writer.writeMessage(12, writeValue, value);
}

function writeNode(node: OnnxNode, writer: PbfWriter): void {
  for (const name of node.inputs) writer.writeStringField(1, name);
  for (const name of node.outputs) writer.writeStringField(2, name);
  if (node.name !== undefined) writer.writeStringField(3, node.name);
  writer.writeStringField(4, node.op);
  for (const entry of Object.entries(node.attributes ?? {})) {
    writer.writeMessage(5, writeAttribute, entry);
  }
  if (node.domain !== undefined) writer.writeStringField(7, node.domain);
}

function writeAttribute([name, value]: [string, OnnxAttribute], writer: PbfWriter): void {
  writer.writeStringField(1, name);
  writer.writeVarintField(20, writeAttributeValue(value, writer));
}

/** Returns the code of the attribute's type, which is written to a field of its own. */
function writeAttributeValue(value: OnnxAttribute, writer: PbfWriter): number {
  if ("float" in value) {
    writer.writeFloatField(2, value.float);
    return 1;
  }
  if ("int" in value) {
    writer.writeVarintField(3, value.int);
    return 2;
  }
  if ("string" in value) {
    writer.writeStringField(4, value.string);
    return 3;
  }
  if ("tensor" in value) {
    writer.writeMessage(5, writeTensor, value.tensor);
    return 4;
  }
  if ("graph" in value) {
    writer.writeMessage(6, writeGraph, value.graph);
    return 5;
  }
  if ("floats" in value) {
    writer.writePackedFloat(7, [...value.floats]);
    return 6;
  }
  if ("ints" in value) {
    writer.writePackedVarint(8, [...value.ints]);
    return 7;
  }
  for (const text of value.strings) writer.writeStringField(9, text);
  return 8;
}

function writeTensor(tensor: OnnxTensor | OnnxExternalTensor, writer: PbfWriter): void {
  writer.writePackedVarint(1, [...tensor.dims]);
  writer.writeVarintField(2, onnxDTypeCode(tensor.dtype));
  if (tensor.name !== undefined) writer.writeStringField(8, tensor.name);
  if ("data" in tensor) {
    writer.writeBytesField(9, tensor.data);
    return;
  }
  const { location, offset, length } = tensor.external;
  writer.writeMessage(13, writeStringEntry, ["location", location]);
  writer.writeMessage(13, writeStringEntry, ["offset", String(offset)]);
  writer.writeMessage(13, writeStringEntry, ["length", String(length)]);
  writer.writeVarintField(14, EXTERNAL);
}

function writeStringEntry([key, value]: [string, string], writer: PbfWriter): void {
  writer.writeStringField(1, key);
  writer.writeStringField(2, value);
}

function writeValue(value: OnnxValue, writer: PbfWriter): void {
  writer.writeStringField(1, value.name);
  if (value.untyped !== true) writer.writeMessage(2, writeType, value);
}

function writeType(value: OnnxValue, writer: PbfWriter): void {
  writer.writeMessage(1, writeTensorType, value);
}

function writeTensorType(value: OnnxValue, writer: PbfWriter): void {
  writer.writeVarintField(1, onnxDTypeCode(value.dtype));
  const dims = value.dims ?? unknownDims(value.rank);
  if (dims !== undefined) writer.writeMessage(2, writeShape, dims);
}

function unknownDims(rank: number | undefined): readonly string[] | undefined {
  return rank === undefined ? undefined : Array.from({ length: rank }, () => "");
}

function writeShape(dims: readonly (number | string)[], writer: PbfWriter): void {
  for (const dim of dims) writer.writeMessage(1, writeDim, dim);
}

function writeDim(dim: number | string, writer: PbfWriter): void {
  if (typeof dim === "number") writer.writeVarintField(1, dim);
  else if (dim !== "") writer.writeStringField(2, dim);
}
