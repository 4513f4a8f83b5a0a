import { Tensor } from "#ort";
import { Graph, type Weights } from "./graph.ts";
import type { Ceiling } from "./resnet-ceiling.ts";

/** Sizes of Whisper's encoder. */
export interface WhisperCeilingConfig {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly melBins: number;
  /** Positions after the convolutions: half as many as frames of the spectrogram. */
  readonly positions: number;
}

/**
 * Builds Whisper's encoder by hand as ONNX Runtime runs it fastest: fixed sizes, one sound, fused
 * attention, gelu and layer norm, and weights as initializers, packed once.
 *
 * @param weights - By the names of `WhisperModel`.
 * @returns the pass from a spectrogram [melBins, 2 positions] to states [positions, width].
 */
export async function whisperCeiling(
  config: WhisperCeilingConfig,
  weights: Weights,
): Promise<Ceiling> {
  const graph = new Graph(weights);
  const { melBins, positions, width } = config;
  const heard = convolution(graph, convolution(graph, "features", "conv1", 1), "conv2", 2);
  const turned = graph.add("Transpose", [heard], { perm: { ints: [0, 2, 1] } });
  let x = graph.reshape(turned, [positions, width]);
  x = graph.add("Add", [x, graph.weight("encoder.embed_positions.weight")]);
  for (let i = 0; i < config.layers; i++) x = layer(graph, x, `encoder.layers.${i}`, config);
  graph.node("Identity", [graph.layerNorm(x, "encoder.layer_norm")], ["states"]);
  const dims = [1, melBins, 2 * positions];
  const session = await graph.session(
    [{ name: "features", dtype: "float32", dims }],
    [{ name: "states", dtype: "float32" }],
  );
  return async (values) => {
    const { states } = await session.run({ features: new Tensor("float32", values, dims) });
    return states?.data as Float32Array;
  };
}

function convolution(graph: Graph, x: string, name: string, stride: number): string {
  const parameters = ["weight", "bias"].map((p) => graph.weight(`encoder.${name}.${p}`));
  const options = { strides: { ints: [stride] }, pads: { ints: [1, 1] } };
  return graph.add("Gelu", [graph.add("Conv", [x, ...parameters], options)]);
}

function layer(graph: Graph, x: string, name: string, config: WhisperCeilingConfig): string {
  const { heads, positions, width } = config;
  const normed = graph.layerNorm(x, `${name}.self_attn_layer_norm`);
  const parts = ["q_proj", "k_proj", "v_proj"].map((part) =>
    graph.reshape(graph.linear(normed, `${name}.self_attn.${part}`), [1, positions, width]),
  );
  const mixed = graph.add("Attention", parts, {
    q_num_heads: { int: heads },
    kv_num_heads: { int: heads },
  });
  const attended = graph.linear(
    graph.reshape(mixed, [positions, width]),
    `${name}.self_attn.out_proj`,
  );
  const middle = graph.add("Add", [x, attended]);
  const inner = graph.linear(graph.layerNorm(middle, `${name}.final_layer_norm`), `${name}.fc1`);
  return graph.add("Add", [middle, graph.linear(graph.add("Gelu", [inner]), `${name}.fc2`)]);
}
