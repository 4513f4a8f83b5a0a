import { type InferenceSession, Tensor } from "#ort";
import { Graph, type Weights } from "./graph.ts";

/** Sizes of a Llama whose output matrix is its embedding. */
export interface LlamaCeilingConfig {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Most tokens of a text. */
  readonly length: number;
}

/** Writes so many likeliest tokens after one token. */
export type LlamaCeiling = (first: number, count: number) => Promise<readonly number[]>;

const EPSILON = 1e-6;
const THETA = 10_000;

/**
 * Builds one step of a Llama by hand as ONNX Runtime runs it fastest: one token, ONNX's fused
 * attention with its cache, rotation and norm, weights as initializers, and the likeliest token
 * chosen inside, so that a step hands on what the next one takes.
 *
 * @param weights - By the names of `LlamaForCausalLM`.
 */
export async function llamaCeiling(
  config: LlamaCeilingConfig,
  weights: Weights,
): Promise<LlamaCeiling> {
  const graph = new Graph({ ...weights, ...rotationTables(config) });
  let x = graph.add("Gather", [graph.weight("model.embed_tokens.weight"), "id"]);
  for (let i = 0; i < config.layers; i++) x = layer(graph, x, i, config);
  const logits = graph.add(
    "Gemm",
    [rmsNorm(graph, x, "model.norm"), graph.weight("model.embed_tokens.weight")],
    { transB: { int: 1 } },
  );
  graph.node("ArgMax", [logits], ["next"], { axis: { int: 1 }, keepdims: { int: 0 } });
  const caches = Array.from({ length: config.layers }, (_, i) => [`key.${i}`, `value.${i}`]).flat();
  const session = await graph.session(
    [
      { name: "id", dtype: "int64", dims: [1] },
      { name: "position", dtype: "int64", dims: [1, 1] },
      ...caches.map((name) => ({ name: `past.${name}`, dtype: "float32" as const, rank: 4 })),
    ],
    [
      { name: "next", dtype: "int64" },
      ...caches.map((name) => ({ name, dtype: "float32" as const })),
    ],
  );
  return (first, count) => write(session, config, caches, { first, count });
}

async function write(
  session: InferenceSession,
  { kvHeads, width, heads }: LlamaCeilingConfig,
  caches: readonly string[],
  { first, count }: { readonly first: number; readonly count: number },
): Promise<readonly number[]> {
  const empty = new Tensor("float32", new Float32Array(0), [1, kvHeads, 0, width / heads]);
  const feeds: Record<string, Tensor> = { id: int64(first, [1]) };
  for (const name of caches) feeds[`past.${name}`] = empty;
  const written: number[] = [];
  for (let position = 0; position < count; position++) {
    feeds["position"] = int64(position, [1, 1]);
    const results = await session.run(feeds);
    for (const name of caches) feeds[`past.${name}`] = results[name] as Tensor;
    feeds["id"] = results["next"] as Tensor;
    written.push(Number(feeds["id"].data[0]));
  }
  return written;
}

function int64(value: number, dims: readonly number[]): Tensor {
  return new Tensor("int64", BigInt64Array.of(BigInt(value)), dims);
}

/** Cosines and sines of all positions' angles, [length, headDim / 2]. */
function rotationTables({ width, heads, length }: LlamaCeilingConfig): Weights {
  const half = width / heads / 2;
  const table = (of: (angle: number) => number): Weights[string] => ({
    dims: [length, half],
    data: Float32Array.from({ length: length * half }, (_, i) =>
      of(Math.floor(i / half) / THETA ** ((i % half) / half)),
    ),
  });
  return { cosines: table(Math.cos), sines: table(Math.sin) };
}

function layer(graph: Graph, x: string, i: number, config: LlamaCeilingConfig): string {
  const { width, heads, kvHeads } = config;
  const name = `model.layers.${i}`;
  const normed = rmsNorm(graph, x, `${name}.input_layernorm`);
  const projected = (part: string, n: number): string =>
    graph.reshape(graph.linear(normed, `${name}.self_attn.${part}`), [1, 1, (n * width) / heads]);
  const query = rotated(graph, projected("q_proj", heads), heads);
  const key = rotated(graph, projected("k_proj", kvHeads), kvHeads);
  graph.node(
    "Attention",
    [query, key, projected("v_proj", kvHeads), "", `past.key.${i}`, `past.value.${i}`],
    [`mixed.${i}`, `key.${i}`, `value.${i}`],
    { q_num_heads: { int: heads }, kv_num_heads: { int: kvHeads } },
  );
  const mixed = graph.reshape(`mixed.${i}`, [1, width]);
  const middle = graph.add("Add", [x, graph.linear(mixed, `${name}.self_attn.o_proj`)]);
  const inner = rmsNorm(graph, middle, `${name}.post_attention_layernorm`);
  const gate = graph.linear(inner, `${name}.mlp.gate_proj`);
  const gated = graph.add("Mul", [gate, graph.add("Sigmoid", [gate])]);
  const product = graph.add("Mul", [gated, graph.linear(inner, `${name}.mlp.up_proj`)]);
  return graph.add("Add", [middle, graph.linear(product, `${name}.mlp.down_proj`)]);
}

function rotated(graph: Graph, x: string, heads: number): string {
  const tables = [graph.weight("cosines"), graph.weight("sines")];
  return graph.add("RotaryEmbedding", [x, ...tables, "position"], { num_heads: { int: heads } });
}

function rmsNorm(graph: Graph, x: string, name: string): string {
  const scale = graph.weight(`${name}.weight`);
  return graph.add("RMSNormalization", [x, scale], {
    axis: { int: -1 },
    epsilon: { float: EPSILON },
  });
}
