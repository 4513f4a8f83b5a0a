import { nodeLabel } from "../formats/onnx/graphs-of.ts";
import type {
  FileAttribute,
  FileGraph,
  FileNode,
  FileTensor,
} from "../formats/onnx/onnx-content.ts";
import { OnnxFileError } from "../formats/onnx/onnx-file-error.ts";
import type { OnnxElementType } from "../runtime/onnx/element-types.ts";
import { bytesOf, type RawData } from "../formats/raw-tensor.ts";

/** What an upgrade may need beside the node. */
interface Context {
  /** Version of the operators that the node was written for. */
  readonly version: number;
  /** Adds a tensor to the graph, and names it. */
  readonly constant: (
    name: string,
    dtype: OnnxElementType,
    data: RawData,
    dims?: readonly number[],
  ) => string;
}

/** Writes a node of an older version in the words of the newest. */
type Upgrade = (node: FileNode, context: Context) => readonly FileNode[];

/**
 * A graph in version 23 of ONNX's operators, in which programs are written: what were attributes are
 * inputs, old defaults are said, and constants are tensors of the graph.
 */
export function upgraded(graph: FileGraph, version: number): FileGraph {
  const initializers: FileTensor[] = [...graph.initializers];
  const nodes: FileNode[] = [];
  for (const node of graph.nodes) {
    const [output = ""] = node.outputs;
    const constant: Context["constant"] = (name, dtype, data, dims = [data.length]) => {
      const bytes = bytesOf(data);
      const full = `${output}:${name}`;
      initializers.push({
        name: full,
        dtype,
        dims,
        bytes: () => bytes,
        external: undefined,
        texts: undefined,
      });
      return full;
    };
    const held = node.op === "Constant" && node.domain === "" ? tensorOf(node) : undefined;
    if (held !== undefined) {
      initializers.push({ ...held, name: output });
      continue;
    }
    const inner = withUpgradedGraphs(node, version);
    const upgrade = node.domain === "" ? UPGRADES[node.op] : undefined;
    nodes.push(...(upgrade?.(inner, { version, constant }) ?? [inner]));
  }
  return { ...graph, nodes, initializers };
}

function withUpgradedGraphs(node: FileNode, version: number): FileNode {
  const attributes = new Map(node.attributes);
  for (const [name, a] of attributes) {
    if ("graph" in a) attributes.set(name, { graph: upgraded(a.graph, version) });
  }
  return { ...node, attributes };
}

/** The tensor of a Constant; undefined for one of another kind, such as one that is mostly zero. */
function tensorOf(node: FileNode): FileTensor | undefined {
  const plain = (dtype: OnnxElementType, dims: readonly number[], data: RawData): FileTensor => {
    const bytes = bytesOf(data);
    return { name: "", dtype, dims, bytes: () => bytes, external: undefined, texts: undefined };
  };
  for (const [name, a] of node.attributes) {
    if ("tensor" in a) return a.tensor;
    if (name === "value_float" && "float" in a) {
      return plain("float32", [], Float32Array.of(a.float));
    }
    if (name === "value_int" && "int" in a) return plain("int64", [], int64([a.int]));
    if (name === "value_floats" && "floats" in a) {
      return plain("float32", [a.floats.length], Float32Array.from(a.floats));
    }
    if (name === "value_ints" && "ints" in a) return plain("int64", [a.ints.length], int64(a.ints));
  }
  return undefined;
}

const int64 = (numbers: readonly number[]): BigInt64Array => BigInt64Array.from(numbers, BigInt);

/** A node with some attributes others, or gone. */
function edited(
  node: FileNode,
  changes: Readonly<Record<string, FileAttribute | undefined>>,
  more: Partial<FileNode> = {},
): FileNode {
  const attributes = new Map(node.attributes);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) attributes.delete(name);
    else attributes.set(name, value);
  }
  return { ...node, ...more, attributes };
}

const before =
  (version: number, upgrade: Upgrade): Upgrade =>
  (node, context) =>
    context.version < version ? upgrade(node, context) : [node];

/** Attributes that have become inputs, by name, at these places. */
const asInputs =
  (places: Readonly<Record<string, number>>): Upgrade =>
  (node, { constant }) => {
    const inputs = [...node.inputs];
    for (const [name, place] of Object.entries(places)) {
      const a = node.attributes.get(name);
      if (a === undefined) continue;
      while (inputs.length < place) inputs.push("");
      inputs[place] = constant(name, ...numbersOf(a, node));
    }
    const gone = Object.fromEntries(Object.keys(places).map((name) => [name, undefined]));
    return [edited(node, gone, { inputs })];
  };

function numbersOf(
  a: FileAttribute,
  node: FileNode,
): [OnnxElementType, RawData, (readonly number[])?] {
  if ("ints" in a) return ["int64", int64(a.ints)];
  if ("floats" in a) return ["float32", Float32Array.from(a.floats)];
  if ("float" in a) return ["float32", Float32Array.of(a.float), []];
  if ("int" in a) return ["int64", int64([a.int])];
  throw new OnnxFileError(`${nodeLabel(node)}: an attribute must be a number or numbers`);
}

/** Attributes that had another default, or none. */
const said =
  (defaults: Readonly<Record<string, FileAttribute>>): Upgrade =>
  (node) => {
    const missing = Object.entries(defaults).filter(([name]) => !node.attributes.has(name));
    return [edited(node, Object.fromEntries(missing))];
  };

const axes: Upgrade = before(13, asInputs({ axes: 1 }));
const reduced: Upgrade = before(18, asInputs({ axes: 1 }));

/** Of a matrix [before axis, from axis on], which the value is flattened to and back. */
const flattened: Upgrade = (node) => {
  const axis = node.attributes.get("axis") ?? { int: 1 };
  if ("int" in axis && axis.int === -1) return [node];
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const plain = (op: string, inputs: string[], output: string): FileNode => ({
    ...node,
    name: "",
    op,
    inputs,
    outputs: [output],
    attributes: new Map(),
  });
  return [
    { ...plain("Flatten", [x], `${y}:matrix`), attributes: new Map([["axis", axis]]) },
    edited(node, { axis: { int: -1 } }, { inputs: [`${y}:matrix`], outputs: [`${y}:rows`] }),
    plain("Shape", [x], `${y}:shape`),
    plain("Reshape", [`${y}:rows`, `${y}:shape`], y),
  ];
};

/** How resizing places points before version 11: at the same corner, towards zero. */
const RESIZING = {
  coordinate_transformation_mode: { string: "asymmetric" },
  nearest_mode: { string: "floor" },
} as const;

const resized: Upgrade = (node) => {
  const [x = "", scales = ""] = node.inputs;
  return [edited(node, RESIZING, { op: "Resize", inputs: [x, "", scales] })];
};

const upsampled: Upgrade = (node, context) => {
  const [moved = node] = asInputs({ scales: 1 })(node, context);
  return resized(moved, context);
};

const renamedTo =
  (op: string): Upgrade =>
  (node) => [{ ...node, op }];

const split: Upgrade = (node, context) => {
  const [moved = node] = context.version < 13 ? asInputs({ split: 1 })(node, context) : [node];
  if (moved.inputs[1] !== undefined || moved.attributes.has("num_outputs")) return [moved];
  return [edited(moved, { num_outputs: { int: moved.outputs.length } })];
};

/** A mask of numbers below it came out before version 10; nothing is dropped here. */
const dropout: Upgrade = (node) => {
  const [x = ""] = node.inputs;
  const [y = "", mask = ""] = node.outputs;
  if (mask !== "") return [edited(node, { ratio: undefined, seed: undefined })];
  return [{ ...node, op: "Identity", inputs: [x], outputs: [y], attributes: new Map() }];
};

/** Running means and variances that old versions hand on are nobody's. */
const normalized: Upgrade = (node) => [
  edited(node, { spatial: undefined }, { outputs: node.outputs.slice(0, 1) }),
];

const sampled: Upgrade = (node) => {
  const mode = node.attributes.get("mode");
  const names: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };
  if (mode === undefined || !("string" in mode)) return [node];
  return [edited(node, { mode: { string: names[mode.string] ?? mode.string } })];
};

const refused: Upgrade = (node, { version }) => {
  throw new OnnxFileError(
    `${nodeLabel(node)}: the ${node.op} of version ${version} is not read; convert the file with ` +
      "onnx.version_converter.convert_version(model, 17)",
  );
};

const UPGRADES: Readonly<Record<string, Upgrade>> = {
  BatchNormalization: before(14, normalized),
  Clip: before(11, asInputs({ min: 1, max: 2 })),
  Dropout: dropout,
  GridSample: before(20, sampled),
  GroupNormalization: before(21, refused),
  Hardmax: before(13, flattened),
  LogSoftmax: before(13, flattened),
  Pad: before(11, asInputs({ pads: 1, value: 2 })),
  ReduceL1: reduced,
  ReduceL2: reduced,
  ReduceLogSum: reduced,
  ReduceLogSumExp: reduced,
  ReduceMax: reduced,
  ReduceMean: reduced,
  ReduceMin: reduced,
  ReduceProd: reduced,
  ReduceSum: axes,
  ReduceSumSquare: reduced,
  Resize: before(11, resized),
  RoiAlign: before(16, said({ coordinate_transformation_mode: { string: "output_half_pixel" } })),
  Scan: before(9, refused),
  Scatter: renamedTo("ScatterElements"),
  Slice: before(10, asInputs({ starts: 1, ends: 2, axes: 3 })),
  Softmax: before(13, flattened),
  Split: before(18, split),
  Squeeze: axes,
  TopK: before(10, asInputs({ k: 1 })),
  Unsqueeze: axes,
  Upsample: upsampled,
};
