import { Tensor } from "#ort";
import type { OnnxValue } from "../src/runtime/onnx/model.ts";
import { Graph, type Weights } from "./graph.ts";

/** A batch of as many rows as its inputs have, in a network of this width. */
export interface DasMlpFloorConfig {
  readonly batch: number;
  readonly width: number;
}

const RUNS = ["base", "left", "right"] as const;
/** The layers after the edit. */
const ONWARD = ["mlp.h.1.ff1.weight", "mlp.h.2.ff1.weight", "score.weight"] as const;

/**
 * The products of one step of distributed alignment search in a network of three layers, and next to
 * nothing between them: three runs up to the first layer, their rotations, the way back, the other
 * layers, and those that the rotation's gradient takes.
 *
 * @returns runs the products of a step on three batches of inputs, [batch, width] each.
 */
export async function dasMlpFloor(
  { batch, width }: DasMlpFloorConfig,
  weights: Weights,
): Promise<(inputs: readonly Float32Array[]) => Promise<unknown>> {
  const graph = new Graph(weights);
  const product = (a: string, b: string, turned: "transA" | "transB" | "" = ""): string =>
    graph.add("Gemm", [a, b], turned === "" ? {} : { [turned]: { int: 1 } });
  const hidden = RUNS.map((run) => product(run, graph.weight("mlp.h.0.ff1.weight"), "transB"));
  const code = graph.add(
    "Sum",
    hidden.map((h) => product(h, "rotation")),
  );
  const logits = ONWARD.reduce(
    (x, name) => product(x, graph.weight(name), "transB"),
    product(code, "rotation", "transB"),
  );
  const back = ONWARD.reduceRight((g, name) => product(g, graph.weight(name)), logits);
  const ofCode = product(back, "rotation");
  const gradients = [
    product(back, code, "transA"),
    ...hidden.map((h) => product(h, ofCode, "transA")),
  ];
  const float = (name: string, dims: readonly number[]): OnnxValue => ({
    name,
    dtype: "float32",
    dims,
  });
  const session = await graph.session(
    [...RUNS.map((run) => float(run, [batch, width])), float("rotation", [width, width])],
    gradients.map((name) => float(name, [width, width])),
  );
  const rotation = new Tensor("float32", new Float32Array(width * width), [width, width]);
  return (inputs) => {
    const feeds = RUNS.map((run, i) => {
      const values = inputs[i] ?? new Float32Array(batch * width);
      return [run, new Tensor("float32", values, [batch, width])] as const;
    });
    return session.run({ rotation, ...Object.fromEntries(feeds) });
  };
}
