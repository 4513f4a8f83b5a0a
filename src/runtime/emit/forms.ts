import type { OpName, Ops } from "../../tensor/ops/ops.ts";
import { type Lower, lowerings, spelledRotate, type StandIns, through } from "./lower.ts";
import { norm, plainLinear } from "./lower-matrices.ts";

/** How programs are written for a device. What it has no kernel for, the processor computes. */
export interface Forms {
  /**
   * The version of ONNX's operators. A kernel is found by the version in which its operator last
   * changed, and a device may not know the newest.
   */
  readonly opset: number;
  /** Whether attention is handed to one kernel, or left as it is written out. */
  readonly attention: "kernel" | "written";
  /** How each operation is written. */
  readonly lowerings: { readonly [K in OpName]: Lower<Ops[K]> };
}

/** The processor's, natively and in WebAssembly. */
export const CPU_FORMS: Forms = { opset: 23, attention: "kernel", lowerings };

/** WebGPU has no doubles, so that the processor computes what is written in them. */
const DOUBLES: StandIns = { float32: "float64" };

/** A logarithm of numbers below zero is no number, and shaders give some number. */
const log: Lower<Ops["log"]> = (l) => {
  const { graph, inputs, result } = l;
  const plain = lowerings.log(l);
  if (result.dtype !== "float32") return plain;
  const constant = (value: number): string => graph.constant([value], result.dtype, []);
  const [x = ""] = inputs;
  const [zero, none] = [constant(0), constant(NaN)];
  const isZero = graph.node("Equal", [x, zero]);
  const other = graph.node("Where", [isZero, constant(-Infinity), none]);
  return graph.node("Where", [graph.node("Greater", [x, zero]), plain, other]);
};

/** The same of a power of a number below zero that is no whole one. */
const pow: Lower<Ops["pow"]> = (l) => {
  const { graph, inputs, result } = l;
  const plain = lowerings.pow(l);
  if (result.dtype !== "float32") return plain;
  const [base = "", exponent = ""] = inputs;
  const below = graph.node("Less", [base, graph.constant([0], result.dtype, [])]);
  const whole = graph.node("Equal", [exponent, graph.node("Floor", [exponent])]);
  const isNone = graph.node("And", [below, graph.node("Not", [whole])]);
  return graph.node("Where", [isNone, graph.constant([NaN], result.dtype, []), plain]);
};

/**
 * WebGPU's. ONNX Runtime has kernels for it of version 21 and no `Attention`, `FusedMatMul` or
 * `RotaryEmbedding` of ONNX; and to turn products round pays for the processor's caches only. Where a
 * node is not taken, the processor computes it, and all that it reads and gives is copied.
 *
 * A shader's sines are right to 2 ** -11, and that near zero only, where positions of a text are angles of
 * thousands; and its kernel of windows gives no positions.
 */
export const WEBGPU_FORMS: Forms = {
  opset: 21,
  attention: "written",
  lowerings: {
    ...lowerings,
    linear: plainLinear,
    rotate: spelledRotate,
    rmsNorm: norm("SimplifiedLayerNormalization"),
    sin: through(DOUBLES, lowerings.sin),
    cos: through(DOUBLES, lowerings.cos),
    maxPoolIndices: through(DOUBLES, lowerings.maxPoolIndices),
    log,
    pow,
  },
};
