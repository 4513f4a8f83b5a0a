import { spelled } from "../program/spelled.ts";
import type { DType, TypedArray } from "../../tensor/dtype.ts";
import { encodeNumbers } from "../../tensor/ops/apply.ts";
import { internal } from "../../base/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type {
  OnnxAttributes,
  OnnxDType,
  OnnxExternalTensor,
  OnnxGraph,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from "../onnx/model.ts";

/** Operations outside the standard set. */
export const MICROSOFT = "com.microsoft";

/** Tensors of more bytes than these stay outside of a model's own. */
const FEW_BYTES = 1024;

interface NodeOptions {
  /** @default 1 */
  readonly outputs?: number;
  readonly custom?: boolean;
  readonly optional?: boolean;
  /** What a message of a failed run calls it. @default nothing */
  readonly name?: string;
  /** Keeps it apart from equal nodes of another number. @default they are one */
  readonly copy?: number;
}

/** The matrix that a value is as well: its last dimension, with a row for each place before it. */
export interface MatrixForm {
  /** Name of the matrix [rows, features]. */
  readonly rows: string;
  /** Name of its transpose, if it was computed by way of that. */
  readonly columns: string | undefined;
  /** Name of the value's own shape; without one it is the matrix itself. */
  readonly shape: string | undefined;
}

/** A value in float32 that is kept in 16 bits. */
export interface Widened {
  /** Name of the value in 16 bits. */
  readonly source: string;
  readonly from: DType;
  /** Whether it is whole numbers with its bits. */
  readonly isBits: boolean;
}

/** Collects the nodes of an ONNX graph; equal nodes become one, unread ones are dropped. */
export class GraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #computed = new Set<string>();
  readonly #forms = new Map<string, MatrixForm>();
  readonly #sources = new Map<string, string>();
  readonly #replaced = new Map<string, string>();
  readonly #widened = new Map<string, Widened>();
  readonly #bits = new Map<string, string>();
  readonly #renamed = new Map<string, string>();
  readonly #known = new Map<string, readonly string[]>();
  readonly #initializers = new Map<string, OnnxTensor | OnnxExternalTensor>();
  /** What is kept outside the model's own bytes. */
  readonly externalData: { readonly path: string; readonly data: Uint8Array }[] = [];
  readonly #inputs: OnnxValue[] = [];
  readonly #optional = new Set<string>();

  /** A value from outside, of these sizes if they are known: a text is the name of one that differs. */
  input(name: string, dtype: OnnxDType, dims?: readonly (number | string)[]): string {
    this.#inputs.push({ name, dtype, ...(dims === undefined ? {} : { dims }) });
    return name;
  }

  /**
   * Adds a node and names its outputs; `custom` takes it from ONNX Runtime's own operations, and of
   * an `optional` second output nothing is said while nobody reads it.
   */
  nodes(
    op: string,
    inputs: readonly string[],
    attributes: OnnxAttributes = {},
    { outputs = 1, custom = false, optional = false, name, copy }: NodeOptions = {},
  ): readonly string[] {
    const key = `${op}(${inputs.join(",")})${spelled(attributes)}${copy ?? ""}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const names = Array.from({ length: outputs }, (_, i) => `n${this.#nodes.length}_${i}`);
    const domain = custom ? { domain: MICROSOFT } : {};
    // Names of nodes must differ.
    const named = name === undefined ? {} : { name: `${name}_${this.#nodes.length}` };
    this.#nodes.push({ op, inputs, outputs: names, attributes, ...domain, ...named });
    for (const computed of names) this.#computed.add(computed);
    if (optional) this.#optional.add(names.at(-1) ?? "");
    this.#known.set(key, names);
    return names;
  }

  /** Adds a node with one output. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: OnnxAttributes = {},
    options: Pick<NodeOptions, "custom" | "name" | "copy"> = {},
  ): string {
    return this.nodes(op, inputs, attributes, options)[0] ?? internal(`${op} has no output`);
  }

  /** Numbers baked into the program. */
  constant(numbers: readonly number[], dtype: DType, dims: readonly number[]): string {
    const name = `c_${dtype}_${dims.join("x")}_${numbers.map((n) => spelled(n)).join("_")}`;
    if (!this.#initializers.has(name)) {
      this.#initializers.set(name, {
        name,
        dtype,
        dims,
        data: bytesOf(encodeNumbers(numbers, dtype)),
      });
    }
    return name;
  }

  /** A tensor's values as part of the program; they are not copied here. */
  weight(name: string, { shape: dims, values }: Tensor, dtype: OnnxDType): string {
    const data = bytesOf(values ?? internal("a weight has no values"));
    const external = { location: name, offset: 0, length: data.byteLength };
    this.#initializers.set(name, { name, dtype, dims, external });
    this.externalData.push({ path: name, data });
    return name;
  }

  /** A tensor of another model; large ones are not copied here. */
  held(name: string, tensor: OnnxTensor): string {
    if (this.#initializers.has(name)) return name;
    const { dtype, dims, data } = tensor;
    if (data.byteLength <= FEW_BYTES) this.#initializers.set(name, { name, dtype, dims, data });
    else {
      const external = { location: name, offset: 0, length: data.byteLength };
      this.#initializers.set(name, { name, dtype, dims, external });
      this.externalData.push({ path: name, data });
    }
    return name;
  }

  /** Adds a node of another model as it is, and names its outputs; equal keys are one node. */
  foreign(node: OnnxNode, key: string): readonly string[] {
    const known = this.#known.get(`foreign ${key}`);
    if (known !== undefined) return known;
    const number = this.#nodes.length;
    const names = node.outputs.map((name, i) => (name === "" ? "" : `n${number}_${i}`));
    this.#nodes.push({ ...node, name: `${node.op}_${number}`, outputs: names });
    for (const name of names) if (name !== "") this.#computed.add(name);
    this.#known.set(`foreign ${key}`, names);
    return names;
  }

  /** A list of whole numbers, such as axes. */
  ints(numbers: readonly number[]): string {
    return this.constant(numbers, "int64", [numbers.length]);
  }

  /** A value's elements in another shape; of a value that is such itself, those of the first one. */
  reshape(value: string, shape: string): string {
    const source = this.source(value);
    const reshaped = this.node("Reshape", [source, shape], { allowzero: { int: 1 } });
    this.#sources.set(reshaped, source);
    return reshaped;
  }

  /** The value that this one has the elements of, in another shape. */
  source(value: string): string {
    return this.#forms.get(value)?.rows ?? this.#sources.get(value) ?? value;
  }

  /** A value given as a matrix: also readable as such, so that chains need not change its shape. */
  fromRows(rows: string, shape: string | undefined, columns?: string): string {
    const value = shape === undefined ? rows : this.reshape(rows, shape);
    this.#forms.set(value, { rows, columns, shape });
    return value;
  }

  /** A value given as the transpose of its matrix: what `linear` computes when it turns round. */
  fromColumns(columns: string, shape: string | undefined): string {
    const rows = this.node("Transpose", [columns], { perm: { ints: [1, 0] } });
    return this.fromRows(rows, shape, columns);
  }

  /** The matrix of a value, if it was computed by way of one. */
  form(value: string): MatrixForm | undefined {
    return this.#forms.get(value);
  }

  /** Remembers which whole numbers the bits of a value came as. */
  markBits(value: string, bits: string): void {
    this.#bits.set(value, bits);
  }

  /** The whole numbers that the bits of a value came as, if they did. */
  bitsOf(value: string): string | undefined {
    return this.#bits.get(value);
  }

  /** Remembers that a value is another one, widened from 16 bits. */
  markWidened(value: string, widened: Widened): void {
    this.#widened.set(value, widened);
  }

  /** What a value was widened from, if it was. */
  widened(value: string): Widened | undefined {
    return this.#widened.get(value);
  }

  /** Has another value, which equals it, read in a value's place. */
  replace(value: string, by: string): void {
    this.#replaced.set(value, by);
  }

  /**
   * Makes a value an output of the graph, under the output's own name.
   *
   * @param of What matters: its elements only, so that it may be a matrix, or its shape too.
   */
  output(whole: string, name: string, of: "elements" | "shape" = "shape"): void {
    const computed = of === "shape" ? whole : (this.form(whole)?.rows ?? whole);
    const value = this.#replaced.get(computed) ?? computed;
    const isComputed = this.#computed.has(value);
    if (isComputed && !this.#renamed.has(value)) this.#renamed.set(value, name);
    else this.#nodes.push({ op: "Identity", inputs: [value], outputs: [name] });
  }

  graph(outputs: readonly OnnxValue[]): OnnxGraph {
    const written = (value: string): string => this.#renamed.get(value) ?? value;
    const read = (value: string): string => written(this.#replaced.get(value) ?? value);
    const nodes = this.#nodes.map((node) => renamed(node, read, written));
    const inputs = new Set(this.#inputs.map(({ name }) => name));
    const live = liveNodes(
      conversionsFirst(this.#replaced.size === 0 ? nodes : inOrder(nodes), inputs),
      outputs.map(({ name }) => name),
    );
    const wanted = new Set([...live.flatMap(readBy), ...outputs.map((o) => o.name)]);
    const unread = (name: string): boolean => this.#optional.has(name) && !wanted.has(name);
    return {
      name: "tsvene",
      nodes: live.map((node) => ({ ...node, outputs: node.outputs.filter((o) => !unread(o)) })),
      inputs: this.#inputs,
      outputs,
      initializers: [...this.#initializers.values()].filter(({ name }) => wanted.has(name ?? "")),
    };
  }
}

/**
 * The conversions of inputs, then all else. Of what a node needs, ONNX Runtime computes that last
 * which comes first: so each weight is widened just before its use. Elsewhere all would be widened
 * before the first use, and lie in memory together.
 */
function conversionsFirst(nodes: readonly OnnxNode[], inputs: ReadonlySet<string>): OnnxNode[] {
  const early = new Set(inputs);
  const isEarly = ({ op, inputs: [source = ""], outputs: [result = ""] }: OnnxNode): boolean => {
    if ((op !== "Cast" && op !== "BitCast") || !early.has(source)) return false;
    early.add(result);
    return true;
  };
  const [first, rest]: [OnnxNode[], OnnxNode[]] = [[], []];
  for (const node of nodes) (isEarly(node) ? first : rest).push(node);
  return [...first, ...rest];
}

/** The same nodes, each after those that it reads, and otherwise in their order. */
function inOrder(nodes: readonly OnnxNode[]): OnnxNode[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const sorted = new Set<OnnxNode>();
  for (const node of nodes) {
    const stack = [node];
    for (let next = stack.at(-1); next !== undefined; next = stack.at(-1)) {
      const open = readBy(next).flatMap((name) => makers.get(name) ?? []);
      const missing = open.filter((maker) => !sorted.has(maker));
      if (missing.length > 0) stack.push(...missing);
      else sorted.add(stack.pop() ?? next);
    }
  }
  return [...sorted];
}

/** The graphs that a node runs, such as the step of a scan. */
export function bodiesOf({ attributes = {} }: OnnxNode): readonly OnnxGraph[] {
  return Object.values(attributes).flatMap((a) => ("graph" in a ? [a.graph] : []));
}

/** What a node reads, and what the graphs that it runs read from around it. */
function readBy(node: OnnxNode): readonly string[] {
  return [...node.inputs, ...bodiesOf(node).flatMap(({ nodes }) => nodes.flatMap(readBy))];
}

function renamed(
  node: OnnxNode,
  read: (value: string) => string,
  written: (value: string) => string,
): OnnxNode {
  const attributes = Object.entries(node.attributes ?? {}).map(([name, a]) => {
    if (!("graph" in a)) return [name, a] as const;
    const nodes = a.graph.nodes.map((inner) => renamed(inner, read, written));
    return [name, { graph: { ...a.graph, nodes } }] as const;
  });
  return {
    ...node,
    inputs: node.inputs.map(read),
    outputs: node.outputs.map(written),
    attributes: Object.fromEntries(attributes),
  };
}

/** The nodes that outputs depend on; nodes come after those they read. */
function liveNodes(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  const wanted = new Set(outputs);
  const live = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((name) => wanted.has(name))) return false;
    for (const name of readBy(node)) wanted.add(name);
    return true;
  });
  return live.reverse();
}

function bytesOf(values: TypedArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
