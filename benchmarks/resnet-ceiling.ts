import { Tensor } from "#ort";
import { Graph, type Weights } from "./graph.ts";

/** Sizes of a ResNet of basic layers and of its images. */
export interface ResNetCeilingConfig {
  readonly depths: readonly number[];
  readonly batch: number;
  /** Height and width of images, which have three channels. */
  readonly size: number;
}

/** A pass from values of a fixed size to values of a fixed size. */
export type Ceiling = (values: Float32Array) => Promise<Float32Array>;

/**
 * Builds a ResNet of basic layers by hand as ONNX Runtime runs it fastest: sizes are fixed, and
 * weights are initializers, so that norms disappear in the convolutions before them.
 *
 * @param weights - By the names of `ResNetForImageClassification`.
 * @returns the pass from pixels [batch, 3, size, size] to logits.
 */
export async function resNetCeiling(
  { depths, batch, size }: ResNetCeilingConfig,
  weights: Weights,
): Promise<Ceiling> {
  const graph = new Graph(weights);
  const stem = { name: "resnet.embedder.embedder", kernel: 7, stride: 2 };
  const pool = { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, pads: pads(1) };
  let x = graph.add("MaxPool", [graph.add("Relu", [convNorm(graph, "pixels", stem)])], pool);
  for (const [stage, depth] of depths.entries()) {
    for (let layer = 0; layer < depth; layer++) {
      const stride = stage > 0 && layer === 0 ? 2 : 1;
      x = basicLayer(graph, x, `resnet.encoder.stages.${stage}.layers.${layer}`, stride);
    }
  }
  x = graph.add("Flatten", [graph.add("GlobalAveragePool", [x])]);
  graph.node("Identity", [graph.linear(x, "classifier.1")], ["logits"]);
  const dims = [batch, 3, size, size];
  const session = await graph.session(
    [{ name: "pixels", dtype: "float32", dims }],
    [{ name: "logits", dtype: "float32" }],
  );
  return async (values) => {
    const { logits } = await session.run({ pixels: new Tensor("float32", values, dims) });
    return logits?.data as Float32Array;
  };
}

interface ConvPlace {
  readonly name: string;
  readonly kernel: number;
  readonly stride: number;
}

function basicLayer(graph: Graph, x: string, name: string, stride: number): string {
  const first = convNorm(graph, x, { name: `${name}.layer.0`, kernel: 3, stride });
  const second = convNorm(graph, graph.add("Relu", [first]), {
    name: `${name}.layer.1`,
    kernel: 3,
    stride: 1,
  });
  const past = stride === 1 ? x : convNorm(graph, x, { name: `${name}.shortcut`, kernel: 1, stride }); // prettier-ignore
  return graph.add("Relu", [graph.add("Add", [second, past])]);
}

function convNorm(graph: Graph, x: string, { name, kernel, stride }: ConvPlace): string {
  const convolved = graph.add("Conv", [x, graph.weight(`${name}.convolution.weight`)], {
    strides: { ints: [stride, stride] },
    pads: pads(Math.floor(kernel / 2)),
  });
  const parameters = ["weight", "bias", "running_mean", "running_var"].map((parameter) =>
    graph.weight(`${name}.normalization.${parameter}`),
  );
  return graph.add("BatchNormalization", [convolved, ...parameters], { epsilon: { float: 1e-5 } });
}

function pads(n: number): { readonly ints: readonly number[] } {
  return { ints: [n, n, n, n] };
}
