import { elementTypeOf, type OnnxElementType } from "../../runtime/onnx/element-types.ts";
import type {
  FileAttribute,
  FileFunction,
  FileGraph,
  FileModel,
  FileNode,
  FileTensor,
  FileValue,
} from "./onnx-content.ts";
import { OnnxFileError } from "./onnx-file-error.ts";
import { readEntry, readTensor } from "./read-tensor.ts";
import { Wire } from "./wire.ts";

/**
 * Reads the bytes of an ONNX file into plain data, names as they are. Numbers of tensors are not read yet,
 * and nothing is checked but that it is such a file; see {@link checkModel}.
 *
 * Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 *
 * @param name what messages call the file.
 * @throws OnnxFileError for what is no such file, or a damaged one.
 */
export function readOnnx(bytes: Uint8Array, name: string): FileModel {
  const wire = Wire.of(bytes, name);
  let [irVersion, producer, producerVersion, description] = [0, "", "", ""];
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const functions: FileFunction[] = [];
  let graph: FileGraph | undefined;
  wire.fields((field) => {
    if (field === 1) irVersion = wire.int();
    else if (field === 2) producer = wire.text();
    else if (field === 3) producerVersion = wire.text();
    else if (field === 6) description = wire.text();
    else if (field === 7) graph = readGraph(wire.message());
    else if (field === 8) readOpset(wire.message(), opsets);
    else if (field === 14) readEntry(wire.message(), metadata);
    else if (field === 25) functions.push(readFunction(wire.message()));
  });
  if (graph === undefined) {
    throw new OnnxFileError(`${name}: this is no ONNX file, or a damaged one: it has no graph`);
  }
  return { irVersion, producer, producerVersion, opsets, metadata, description, graph, functions };
}

function readOpset(wire: Wire, into: Map<string, number>): void {
  let [domain, version] = ["", 0];
  wire.fields((field) => {
    if (field === 1) domain = plainDomain(wire.text());
    else if (field === 2) version = wire.int();
  });
  into.set(domain, version);
}

/** ONNX's own domain has a name as well. */
function plainDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

function readGraph(wire: Wire): FileGraph {
  let name = "";
  const nodes: FileNode[] = [];
  const initializers: FileTensor[] = [];
  const lists: Readonly<Record<number, FileValue[]>> = { 11: [], 12: [], 13: [] };
  wire.fields((field) => {
    const values = lists[field];
    if (values !== undefined) values.push(readValue(wire.message()));
    else if (field === 1) nodes.push(readNode(wire.message()));
    else if (field === 2) name = wire.text();
    else if (field === 5) initializers.push(readTensor(wire.message()));
    else if (field === 15) {
      throw new OnnxFileError(
        `${wire.file}: the graph ${JSON.stringify(name)} holds tensors that say only what is not zero ` +
          "(sparse_initializer), which are not read; write them out whole",
      );
    }
  });
  const [inputs = [], outputs = [], values = []] = [lists[11], lists[12], lists[13]];
  return { name, nodes, initializers, inputs, outputs, values };
}

function readNode(wire: Wire): FileNode {
  let [name, op, domain, overload] = ["", "", "", ""];
  const [inputs, outputs]: [string[], string[]] = [[], []];
  const attributes = new Map<string, FileAttribute>();
  wire.fields((field) => {
    if (field === 1) inputs.push(wire.text());
    else if (field === 2) outputs.push(wire.text());
    else if (field === 3) name = wire.text();
    else if (field === 4) op = wire.text();
    else if (field === 5) readAttribute(wire.message(), attributes);
    else if (field === 7) domain = plainDomain(wire.text());
    else if (field === 8) overload = wire.text();
  });
  return { name, op, domain, overload, inputs, outputs, attributes };
}

/** What an attribute may hold, by the number of its type. */
interface AttributeParts {
  float: number;
  int: number;
  string: string;
  tensor: FileTensor | undefined;
  graph: FileGraph | undefined;
  readonly floats: number[];
  readonly ints: number[];
  readonly strings: string[];
}

function readAttribute(wire: Wire, into: Map<string, FileAttribute>): void {
  let [name, reference, type, found] = ["", "", 0, 0];
  const parts: AttributeParts = {
    float: 0,
    int: 0,
    string: "",
    tensor: undefined,
    graph: undefined,
    floats: [],
    ints: [],
    strings: [],
  };
  wire.fields((field) => {
    if (field === 1) name = wire.text();
    else if (field === 20) type = wire.int();
    else if (field === 21) reference = wire.text();
    else if (readAttributePart(wire, field, parts)) found = field - 1;
  });
  if (into.has(name)) {
    throw new OnnxFileError(`${wire.file}: a node has the attribute ${JSON.stringify(name)} twice`);
  }
  // Files of the first version do not say the type.
  into.set(name, reference === "" ? attributeOf(type === 0 ? found : type, parts) : { reference });
}

function readAttributePart(wire: Wire, field: number, parts: AttributeParts): boolean {
  if (field === 2) parts.float = wire.float();
  else if (field === 3) parts.int = wire.int();
  else if (field === 4) parts.string = wire.text();
  else if (field === 5) parts.tensor = readTensor(wire.message());
  else if (field === 6) parts.graph = readGraph(wire.message());
  else if (field === 7) wire.floats(parts.floats);
  else if (field === 8) wire.ints(parts.ints);
  else if (field === 9) parts.strings.push(wire.text());
  else return false;
  return true;
}

function attributeOf(type: number, parts: AttributeParts): FileAttribute {
  const { tensor, graph } = parts;
  if (type === 1) return { float: parts.float };
  if (type === 2) return { int: parts.int };
  if (type === 3) return { string: parts.string };
  if (type === 4 && tensor !== undefined) return { tensor };
  if (type === 5 && graph !== undefined) return { graph };
  if (type === 6) return { floats: parts.floats };
  if (type === 7) return { ints: parts.ints };
  if (type === 8) return { strings: parts.strings };
  return { other: `of type ${type}` };
}

function readFunction(wire: Wire): FileFunction {
  let [name, domain, overload] = ["", "", ""];
  const [inputs, outputs]: [string[], string[]] = [[], []];
  const nodes: FileNode[] = [];
  const opsets = new Map<string, number>();
  const defaults = new Map<string, FileAttribute>();
  wire.fields((field) => {
    if (field === 1) name = wire.text();
    else if (field === 4) inputs.push(wire.text());
    else if (field === 5) outputs.push(wire.text());
    else if (field === 7) nodes.push(readNode(wire.message()));
    else if (field === 9) readOpset(wire.message(), opsets);
    else if (field === 10) domain = plainDomain(wire.text());
    else if (field === 11) readAttribute(wire.message(), defaults);
    else if (field === 13) overload = wire.text();
  });
  return { name, domain, overload, inputs, outputs, defaults, opsets, nodes };
}

function readValue(wire: Wire): FileValue {
  let name = "";
  let type: Omit<FileValue, "name"> = { dtype: undefined, dims: undefined, isOther: false };
  wire.fields((field) => {
    if (field === 1) name = wire.text();
    else if (field === 2) type = readType(wire.message());
  });
  return { name, ...type };
}

function readType(wire: Wire): Omit<FileValue, "name"> {
  let dtype: OnnxElementType | undefined;
  let dims: readonly (number | string)[] | undefined;
  let isOther = false;
  wire.fields((field) => {
    if (field !== 1) {
      isOther ||= field === 4 || field === 5 || field === 8 || field === 9;
      return;
    }
    const inner = wire.message();
    inner.fields((part) => {
      if (part === 1) dtype = elementTypeOf(inner.int());
      else if (part === 2) dims = readShape(inner.message());
    });
  });
  return { dtype, dims, isOther };
}

function readShape(wire: Wire): (number | string)[] {
  const dims: (number | string)[] = [];
  wire.fields((field) => {
    if (field !== 1) return;
    const inner = wire.message();
    let dim: number | string = "";
    inner.fields((part) => {
      if (part === 1) dim = inner.int();
      else if (part === 2) dim = inner.text();
    });
    dims.push(typeof dim === "number" && dim < 0 ? "" : dim);
  });
  return dims;
}
