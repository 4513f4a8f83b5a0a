import type { OnnxNode, OnnxTensor } from "./model.ts";

/** Nodes of an ONNX model that compute one value, by the names that they have there. */
export class OnnxPart {
  /** What is given to it. */
  readonly inputs: readonly string[];
  /** Tensors that are written into the program. */
  readonly initializers: readonly OnnxTensor[];
  /** The nodes, each after those that it reads, in version 23 of ONNX's operators. */
  readonly nodes: readonly OnnxNode[];
  /** The value that is computed. */
  readonly output: string;

  constructor({
    inputs,
    initializers,
    nodes,
    output,
  }: Pick<OnnxPart, "inputs" | "initializers" | "nodes" | "output">) {
    this.inputs = inputs;
    this.initializers = initializers;
    this.nodes = nodes;
    this.output = output;
  }
}
