import { Tensor } from "#ort";
import type { OnnxGraph, OnnxValue } from "../src/runtime/onnx/model.ts";
import { Graph, type Weights } from "./graph.ts";

/** Sizes of a Mamba whose output matrix is its embedding, and of what it reads. */
export interface MambaCeilingConfig {
  readonly layers: number;
  /** Channels of the mixers. */
  readonly inner: number;
  /** Numbers in the state of each channel. */
  readonly size: number;
  /** Width of what lengths of steps are computed from. */
  readonly rank: number;
  readonly kernel: number;
  /** Tokens of the one text. */
  readonly steps: number;
}

/** From token ids to logits [steps, vocabulary]. */
export type MambaCeiling = (ids: BigInt64Array) => Promise<Float32Array>;

/**
 * Builds a Mamba by hand as ONNX Runtime runs it fastest: fixed sizes, one text, weights as
 * initializers, and the recurrence as a `Scan` over the steps. Milliseconds for 256 steps of 512
 * channels with 16 numbers each, on 2 threads: this 1.9; with the decays computed beforehand 2.0;
 * and all outputs read from the states afterwards 2.7; chunks of 8, 16, 32 and 64 steps at a time,
 * unrolled, 2.8, 2.8, 3.9 and 4.4; chunks in a `Scan` 2.9 or more; all steps unrolled 3.7;
 * `LinearAttention` with a head for each channel 5.1.
 *
 * @param weights - By the names of `MambaForCausalLM`.
 */
export async function mambaCeiling(
  config: MambaCeilingConfig,
  weights: Weights,
): Promise<MambaCeiling> {
  const graph = new Graph(weights);
  const embedding = graph.weight("backbone.embeddings.weight");
  let x = graph.add("Gather", [embedding, "ids"]);
  for (let i = 0; i < config.layers; i++) {
    const normed = rmsNorm(graph, x, `backbone.layers.${i}.norm`);
    x = graph.add("Add", [x, mixer(graph, normed, `backbone.layers.${i}.mixer`, config)]);
  }
  const last = rmsNorm(graph, x, "backbone.norm_f");
  graph.node("Gemm", [last, embedding], ["logits"], { transB: { int: 1 } });
  const dims = [config.steps];
  const session = await graph.session(
    [{ name: "ids", dtype: "int64", dims }],
    [{ name: "logits", dtype: "float32" }],
  );
  return async (ids) => {
    const { logits } = await session.run({ ids: new Tensor("int64", ids, dims) });
    return logits?.data as Float32Array;
  };
}

function rmsNorm(graph: Graph, x: string, name: string): string {
  const scale = graph.weight(`${name}.weight`);
  return graph.add("RMSNormalization", [x, scale], {
    axis: { int: -1 },
    epsilon: { float: 1e-5 },
  });
}

function mixer(graph: Graph, input: string, name: string, config: MambaCeilingConfig): string {
  const { inner, rank, size } = config;
  const projections = graph.split(graph.weight(`${name}.in_proj.weight`), 0, [inner, inner]);
  const [projected = "", gate = ""] = projections.map((weight) =>
    graph.add("Gemm", [input, weight], { transB: { int: 1 } }),
  );
  const x = convolved(graph, projected, `${name}.conv1d`, config);
  const parts = graph.split(graph.linear(x, `${name}.x_proj`), 1, [rank, size, size]);
  const [step = "", into = "", out = ""] = parts;
  const dt = softplus(graph, graph.linear(step, `${name}.dt_proj`));
  const scanned = scan(graph, { name, x: graph.add("Mul", [x, dt]), dt, into, out }, config);
  const past = graph.add("Mul", [x, graph.weight(`${name}.D`)]);
  const gated = graph.add("Mul", [graph.add("Add", [scanned, past]), silu(graph, gate)]);
  return graph.linear(gated, `${name}.out_proj`);
}

function silu(graph: Graph, x: string): string {
  return graph.add("Mul", [x, graph.add("Sigmoid", [x])]);
}

/** Written out: the kernel takes one number at a time, 0.7 ms for 256 steps of 512 channels. */
function softplus(graph: Graph, x: string): string {
  const small = graph.add("Exp", [graph.add("Neg", [graph.add("Abs", [x])])]);
  const one = graph.add("Constant", [], { value_float: { float: 1 } });
  const log = graph.add("Log", [graph.add("Add", [small, one])]);
  return graph.add("Add", [graph.add("Relu", [x]), log]);
}

/** silu of the convolution of each channel, which the kernel wants as rows. */
function convolved(
  graph: Graph,
  x: string,
  name: string,
  { inner, kernel, steps }: MambaCeilingConfig,
): string {
  const rows = graph.reshape(graph.add("Transpose", [x]), [1, inner, steps]);
  const parameters = ["weight", "bias"].map((part) => graph.weight(`${name}.${part}`));
  const convolution = graph.add("Conv", [rows, ...parameters], {
    group: { int: inner },
    pads: { ints: [kernel - 1, 0] },
  });
  return graph.add("Transpose", [graph.reshape(silu(graph, convolution), [inner, steps])]);
}

interface Scanned {
  readonly name: string;
  /** [steps, inner], multiplied by dt. */
  readonly x: string;
  readonly dt: string;
  /** [steps, size] */
  readonly into: string;
  readonly out: string;
}

/** state[t] = exp(dt[t] rates) state[t - 1] + into[t] x[t]ᵀ, output[t] = out[t] state[t] */
function scan(graph: Graph, parts: Scanned, { inner, size, steps }: MambaCeilingConfig): string {
  const { name, x, dt, into, out } = parts;
  const logs = graph.add("Transpose", [graph.weight(`${name}.A_log`)]);
  const rates = graph.add("Neg", [graph.add("Exp", [logs])]);
  const value = (label: string, ...dims: number[]): OnnxValue => ({
    name: `${name}.${label}`,
    dtype: "float32",
    dims,
  });
  const node = (op: string, inputs: string[], output: string): OnnxGraph["nodes"][number] => ({
    op,
    inputs: inputs.map((label) => (label === "rates" ? rates : `${name}.${label}`)),
    outputs: [`${name}.${output}`],
  });
  const body: OnnxGraph = {
    name: "step",
    nodes: [
      node("Mul", ["dt", "rates"], "exponent"),
      node("Exp", ["exponent"], "decay"),
      node("Mul", ["state", "decay"], "faded"),
      node("MatMul", ["into", "x"], "driven"),
      node("Add", ["faded", "driven"], "next"),
      node("MatMul", ["out", "next"], "y"),
    ],
    inputs: [
      value("state", size, inner),
      value("dt", 1, inner),
      value("x", 1, inner),
      value("into", size, 1),
      value("out", 1, size),
    ],
    outputs: [value("next", size, inner), value("y", 1, inner)],
  };
  const rows = [dt, x].map((sequence) => graph.reshape(sequence, [steps, 1, inner]));
  const columns = [graph.reshape(into, [steps, size, 1]), graph.reshape(out, [steps, 1, size])];
  graph.node(
    "Scan",
    [graph.add("Sub", [rates, rates]), ...rows, ...columns],
    [`${name}.last`, `${name}.outputs`],
    { body: { graph: body }, num_scan_inputs: { int: 4 } },
  );
  return graph.reshape(`${name}.outputs`, [steps, inner]);
}
