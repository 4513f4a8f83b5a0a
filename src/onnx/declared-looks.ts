import { nodeLabel } from "../formats/onnx/graphs-of.ts";
import type { FileGraph, FileNode, FileValue } from "../formats/onnx/onnx-content.ts";
import { fail } from "../nn/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { dtypeHere } from "./file-tensors.ts";
import type { Looks } from "./operator.ts";
import type { Value } from "./values.ts";

/** What a file says of the values of nodes that have no translation. */
export class DeclaredLooks {
  readonly #values = new Map<string, FileValue>();
  readonly #inputs: readonly FileValue[];
  #sizes: ReadonlyMap<string, number> = new Map();

  constructor(graph: FileGraph) {
    this.#inputs = graph.inputs;
    for (const value of [...graph.values, ...graph.outputs]) this.#values.set(value.name, value);
  }

  /** Takes the sizes that the file has names for from what is given to it. */
  bind(given: ReadonlyMap<string, Tensor>): void {
    const sizes = new Map<string, number>();
    for (const { name, dims } of this.#inputs) {
      dims?.forEach((dim, i) => {
        const size = given.get(name)?.shape[i];
        if (typeof dim === "string" && dim !== "" && size !== undefined) sizes.set(dim, size);
      });
    }
    this.#sizes = sizes;
  }

  /**
   * What the results of a node look like.
   * @throws ModelError where the file does not say it.
   */
  of(node: FileNode, _inputs: readonly (Value | undefined)[]): Looks[] {
    return node.outputs.map((name) => {
      if (name === "") return { shape: [], dtype: "float32" };
      const { dtype, dims } = this.#values.get(name) ?? { dtype: undefined, dims: undefined };
      const own = dtype && dtypeHere(dtype);
      const shape = dims?.map((dim) => this.#size(dim));
      const isSaid = shape?.every((n) => n !== undefined) === true;
      if (own !== undefined && isSaid) return { shape, dtype: own };
      const domain = node.domain === "" ? "" : ` of ${node.domain}`;
      return fail(
        "OnnxModel",
        `the node ${nodeLabel(node)}: the operator ${node.op}${domain} is not translated, so ONNX Runtime computes it as it is, but ` +
          `the file does not say the shape of ${JSON.stringify(name)}; note it with onnx.shape_inference.infer_shapes(model)`,
      );
    });
  }

  /** A size, its name's, or the sum of some: `past_sequence_length + 1`. */
  #size(dim: number | string): number | undefined {
    if (typeof dim === "number") return dim;
    const known = this.#sizes.get(dim);
    if (known !== undefined) return known;
    const parts = dim.split("+").map((part) => part.trim());
    const sizes = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : this.#sizes.get(part)));
    if (dim === "" || !sizes.every((n) => n !== undefined)) return undefined;
    return sizes.reduce((sum, n) => sum + n, 0);
  }
}
