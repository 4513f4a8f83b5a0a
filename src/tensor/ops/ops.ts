import type { DType } from "../dtype.ts";

/** Attributes of an operation that has none. */
export type None = Readonly<Record<string, never>>;

interface Reduction {
  /** Ascending, non-negative. */
  readonly dims: readonly number[];
  readonly keepdim: boolean;
}

interface Along {
  /** Non-negative. */
  readonly dim: number;
}

export interface Convolution {
  readonly stride: readonly number[];
  /** Zeros added before and after, one pair a spatial dimension. */
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

export interface Pooling {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly ceilMode: boolean;
}

/** Ways to factor a matrix: eigenvalues and -vectors, U, S and Vᵀ, or Q and R. */
export type Decomposition = "eigh" | "svd" | "qr";

/** How a scatter combines what it writes with what is there. */
export type ScatterReduction = "none" | "add" | "mul" | "amax" | "amin";

/**
 * The one list of operations: name -> static attributes, which are part of a program's signature.
 * What only changes sizes (shapes, bounds, counts) is not an attribute but one of the node's
 * `sizes`, documented here in brackets, and an input of the program. Shape rules, gradients,
 * narrowing and the lowering to ONNX are tables with exactly these rows.
 */
export interface Ops {
  // Values. `constant` is baked into the program.
  constant: { readonly value: number; readonly dtype: DType };
  /** start, start + step, ... before limit. [start], [limit], [step] */
  range: None;

  // Elementwise, one operand.
  neg: None;
  abs: None;
  sign: None;
  exp: None;
  log: None;
  sqrt: None;
  reciprocal: None;
  sin: None;
  cos: None;
  atan: None;
  sinh: None;
  cosh: None;
  tanh: None;
  erf: None;
  sigmoid: None;
  relu: None;
  gelu: { readonly approximate: "none" | "tanh" };
  floor: None;
  ceil: None;
  round: None;
  not: None;
  isnan: None;
  isinf: None;
  cast: { readonly dtype: DType };
  /** The same values, cut off from the gradient. */
  detach: None;

  // Elementwise, broadcasting.
  add: None;
  sub: None;
  mul: None;
  div: None;
  pow: None;
  maximum: None;
  minimum: None;
  /** Remainder with the sign of the divisor (integers). */
  remainder: None;
  /** Remainder with the sign of the dividend. */
  fmod: None;
  eq: None;
  lt: None;
  le: None;
  gt: None;
  ge: None;
  and: None;
  or: None;
  xor: None;
  where: None;

  // Reductions and scans.
  sum: Reduction;
  mean: Reduction;
  amax: Reduction;
  amin: Reduction;
  prod: Reduction;
  argmax: Along & { readonly keepdim: boolean };
  argmin: Along & { readonly keepdim: boolean };
  cumsum: Along & { readonly reverse: boolean };
  /**
   * decay and input [batch, steps, ...], initial [batch, ...]: all states, of which each is its decay
   * times the one before, plus its input; with `reverse`, times the one after.
   */
  recurrence: { readonly reverse: boolean };
  /**
   * x and dt [batch, steps, width], rates [size, width], into and out [batch, steps, size], initial
   * [batch, size, width]: with state[t] = exp(dt[t] rates) state[t - 1] + into[t] x[t]ᵀ, the outputs
   * out[t] state[t] [batch, steps, width], or the last state.
   */
  selectiveScan: { readonly result: "outputs" | "state" };
  /** Positions of the k largest (smallest) elements, best first. [k] */
  topk: Along & { readonly largest: boolean };

  // Linear algebra and normalisation.
  matmul: None;
  /** x [..., in], weight [out, in], bias? [out]. [shape of the result] unless it has rank 2 */
  linear: None;
  softmax: Along;
  logSoftmax: Along;
  /** x, weight, bias over the last `axes` dimensions. */
  layerNorm: { readonly axes: number; readonly eps: number };
  /** x, weight over the last `axes` dimensions. */
  rmsNorm: { readonly axes: number; readonly eps: number };
  /**
   * x [batch, heads, sequence, features], cos and sin [batch, sequence, pairs]: the i-th of the first
   * features and the (pairs + i)-th turned by their angle; features past the last pair stay.
   */
  rotate: { readonly pairs: number };
  inverse: None;
  det: None;
  /** Square matrices x, count (0-d int64): x squared `count` times, that is, x ** (2 ** count). */
  squarings: None;
  /** x, gradient, count: the gradient of `squarings` with respect to x. */
  squaringsGrad: None;
  /**
   * A factor of x that the host has computed: x, then all factors. It always holds its values; the
   * operation is there for the gradient.
   */
  factor: { readonly of: Decomposition; readonly output: number };

  // Shape.
  /** [shape] */
  reshape: None;
  permute: { readonly dims: readonly number[] };
  /** [shape] */
  expand: None;
  /** [starts], [ends]; for a negative step, an end of -1 - size stands before the first element. */
  slice: { readonly dims: readonly number[]; readonly steps: readonly number[] };
  concat: Along;
  /** Zero or more of a constant, or mirrored values. [before..., after...] */
  pad: { readonly mode: "constant" | "reflect" | "replicate"; readonly value: number };
  /** [diagonal] */
  trilu: { readonly upper: boolean };

  // Indexing.
  /**
   * x[..., index, ...] at one dimension, index of any rank. What reads `frozen` has no gradient; with
   * `fromZero` a negative index fails in the run instead of counting from the end.
   */
  indexSelect: Along & { readonly frozen?: number; readonly fromZero?: true };
  /** torch.gather */
  gather: Along;
  /** torch.scatter(x, dim, index, source) */
  scatter: Along & { readonly reduce: ScatterReduction };
  /** x[index[..., 0], index[..., 1], ...] over the leading dimensions of x. */
  gatherNd: None;
  /** x with source written at index, as gatherNd reads it. */
  scatterNd: { readonly reduce: ScatterReduction };

  // Convolution and pooling over [batch, channels, ...spatial].
  conv: Convolution;
  convTranspose: Convolution & { readonly outputPadding: readonly number[] };
  maxPool: Pooling;
  /** Positions of the maxima in the flattened input. */
  maxPoolIndices: Pooling;
}

export type OpName = keyof Ops;

/** Operations on one tensor that keep its shape and element type. */
export type UnaryOp =
  | "neg" | "abs" | "sign" | "exp" | "log" | "sqrt" | "reciprocal" | "sin" | "cos" | "atan"
  | "sinh" | "cosh" | "tanh" | "erf" | "sigmoid" | "relu" | "floor" | "ceil" | "round" | "not"
  | "detach"; // prettier-ignore

/** Broadcasting operations on two tensors. */
export type BinaryOp =
  | "add" | "sub" | "mul" | "div" | "pow" | "maximum" | "minimum" | "remainder" | "fmod"
  | "eq" | "lt" | "le" | "gt" | "ge" | "and" | "or" | "xor"; // prettier-ignore

export const NONE: None = Object.freeze({});
