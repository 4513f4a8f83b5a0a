import type { DType, TypedArray } from "../tensor/dtype.ts";
import { encodeNumbers } from "../tensor/apply.ts";
import { internal } from "../tensor/errors.ts";
import type { OnnxAttributes, OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from "./onnx/model.ts";

/** Operations outside the standard set. */
const MICROSOFT = "com.microsoft";

/** Collects the nodes of an ONNX graph; equal nodes become one. */
export class GraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #known = new Map<string, readonly string[]>();
  readonly #initializers = new Map<string, OnnxTensor>();
  readonly #inputs: OnnxValue[] = [];

  input(name: string, dtype: DType, rank: number): string {
    this.#inputs.push({ name, dtype, rank });
    return name;
  }

  /** Adds a node and names its outputs; `custom` takes it from ONNX Runtime's own operations. */
  nodes(
    op: string,
    inputs: readonly string[],
    attributes: OnnxAttributes = {},
    { outputs = 1, custom = false }: { outputs?: number; custom?: boolean } = {},
  ): readonly string[] {
    const key = `${op}(${inputs.join(",")})${JSON.stringify(attributes)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const names = Array.from({ length: outputs }, (_, i) => `n${this.#nodes.length}_${i}`);
    const domain = custom ? { domain: MICROSOFT } : {};
    this.#nodes.push({ op, inputs, outputs: names, attributes, ...domain });
    this.#known.set(key, names);
    return names;
  }

  /** Adds a node with one output. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: OnnxAttributes = {},
    options: { custom?: boolean } = {},
  ): string {
    return this.nodes(op, inputs, attributes, options)[0] ?? internal(`${op} has no output`);
  }

  /** Numbers baked into the program. */
  constant(numbers: readonly number[], dtype: DType, dims: readonly number[]): string {
    const name = `c_${dtype}_${dims.join("x")}_${numbers.map(String).join("_")}`;
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

  /** A list of whole numbers, such as axes. */
  ints(numbers: readonly number[]): string {
    return this.constant(numbers, "int64", [numbers.length]);
  }

  /** Makes a value an output of the graph, under the output's own name. */
  output(value: string, name: string): void {
    this.#nodes.push({ op: "Identity", inputs: [value], outputs: [name] });
  }

  graph(outputs: readonly OnnxValue[]): OnnxGraph {
    return {
      name: "tsvene",
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs,
      initializers: [...this.#initializers.values()],
    };
  }
}

function bytesOf(values: TypedArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
