import { InferenceSession } from "#ort";
import type { Module } from "tsvene";
import { encodeModel } from "../src/runtime/onnx/encode.ts";
import type { OnnxAttributes, OnnxNode, OnnxTensor, OnnxValue } from "../src/runtime/onnx/model.ts";

/** Values of a model by their names. */
export type Weights = Readonly<
  Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>
>;

/** The float32 values of a model, by their names in its checkpoints. */
export async function weightsOf(model: Module): Promise<Weights> {
  const weights: Record<string, Weights[string]> = {};
  for (const [name, value] of Object.entries(model.stateDict())) {
    const data = await value.data();
    if (data instanceof Float32Array) weights[name] = { dims: value.shape, data };
  }
  return weights;
}

/** Opset 23 brought the attention operator. */
const OPSET = 23;

/** A fixed ONNX program, written node by node, with a model's weights inside. */
export class Graph {
  readonly #weights: Weights;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();

  constructor(weights: Weights) {
    this.#weights = weights;
  }

  /** Name of one of the model's values, which becomes part of the program. */
  weight(name: string): string {
    const found = this.#weights[name];
    if (found === undefined) throw new Error(`Graph: no weight "${name}"`);
    if (this.#initializers.has(name)) return name;
    const { buffer, byteOffset, byteLength } = found.data;
    const data = new Uint8Array(buffer, byteOffset, byteLength);
    this.#initializers.set(name, { name, dtype: "float32", dims: found.dims, data });
    return name;
  }

  /** Adds a node. @returns the name of its output. */
  add(op: string, inputs: readonly string[], attributes: OnnxAttributes = {}): string {
    const output = `node.${this.#nodes.length}`;
    this.node(op, inputs, [output], attributes);
    return output;
  }

  /** Adds a node with outputs of the names given. */
  node(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: OnnxAttributes = {},
  ): void {
    this.#nodes.push({ op, inputs, outputs, attributes });
  }

  /** x @ weight^T + bias for the linear layer of this name, x being of rank 2. */
  linear(x: string, name: string): string {
    const bias = `${name}.bias` in this.#weights ? [this.weight(`${name}.bias`)] : [];
    return this.add("Gemm", [x, this.weight(`${name}.weight`), ...bias], { transB: { int: 1 } });
  }

  layerNorm(x: string, name: string): string {
    const parameters = [this.weight(`${name}.weight`), this.weight(`${name}.bias`)];
    return this.add("LayerNormalization", [x, ...parameters], {
      axis: { int: -1 },
      epsilon: { float: 1e-5 },
    });
  }

  reshape(x: string, dims: readonly number[]): string {
    return this.add("Reshape", [x, this.ints(dims)]);
  }

  /** A list of whole numbers. */
  ints(numbers: readonly number[]): string {
    return this.add("Constant", [], { value_ints: { ints: numbers } });
  }

  /** Parts of these lengths along an axis. */
  split(x: string, axis: number, lengths: readonly number[]): readonly string[] {
    const parts = lengths.map((_, i) => `node.${this.#nodes.length}.${i}`);
    this.node("Split", [x, this.ints(lengths)], parts, { axis: { int: axis } });
    return parts;
  }

  /** Makes the program ready to run on this many threads. */
  session(
    inputs: readonly OnnxValue[],
    outputs: readonly OnnxValue[],
    threads = 2,
  ): Promise<InferenceSession> {
    const initializers = [...this.#initializers.values()];
    const program = encodeModel(
      { name: "ceiling", nodes: this.#nodes, initializers, inputs, outputs },
      { opset: OPSET },
    );
    return InferenceSession.create(program, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // Threads that wait busily would run into what is measured in turn with this.
      extra: { session: { force_spinning_stop: "1" } },
    });
  }
}
