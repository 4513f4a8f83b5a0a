import type { DType } from "../dtype.ts";
import type { Foreign } from "./foreign.ts";

/** Attributes of an operation that has none. */
export type None = Readonly<Record<string, never>>;

/** Reduces dimensions. */
interface Reduction {
  /** Ascending, non-negative. */
  readonly dims: readonly number[];
  /** Whether they stay, with size 1. */
  readonly keepdim: boolean;
}

/** Works along one dimension. */
interface Along {
  /** Non-negative. */
  readonly dim: number;
}

/** How the kernel of a convolution moves. */
export interface Convolution {
  /** Steps of the kernel, one a spatial dimension. */
  readonly stride: readonly number[];
  /** Zeros added before and after, one pair a spatial dimension. */
  readonly padding: readonly (readonly [number, number])[];
  /** Distances between the kernel's elements, one a spatial dimension. */
  readonly dilation: readonly number[];
  /** Groups of channels that do not see each other. */
  readonly groups: number;
}

/** How the window of a pooling moves. */
export interface Pooling {
  /** Sizes of the window, one a spatial dimension. */
  readonly kernel: readonly number[];
  /** Steps of the window, one a spatial dimension. */
  readonly stride: readonly number[];
  /** Elements added before and after, one number a spatial dimension. */
  readonly padding: readonly number[];
  /** Distances between the window's elements, one a spatial dimension. */
  readonly dilation: readonly number[];
  /** Whether a last window that reaches past the end counts. */
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
  /** One number, 0-d, which is baked into the program. */
  constant: { readonly value: number; readonly dtype: DType };
  /** start, start + step, ... before limit. [start], [limit], [step] */
  range: None;

  // Elementwise, one operand.
  /** -x */
  neg: None;
  /** |x| */
  abs: None;
  /** -1, 0 or 1. */
  sign: None;
  /** e to the power x. */
  exp: None;
  /** Natural logarithm. */
  log: None;
  /** √x */
  sqrt: None;
  /** 1 / x */
  reciprocal: None;
  /** Sine of radians. */
  sin: None;
  /** Cosine of radians. */
  cos: None;
  /** Arc tangent in radians. */
  atan: None;
  /** Hyperbolic sine. */
  sinh: None;
  /** Hyperbolic cosine. */
  cosh: None;
  /** Hyperbolic tangent. */
  tanh: None;
  /** Error function. */
  erf: None;
  /** 1 / (1 + exp(-x)) */
  sigmoid: None;
  /** max(x, 0) */
  relu: None;
  /** x Φ(x), with Φ exact or as written with tanh. */
  gelu: { readonly approximate: "none" | "tanh" };
  /** Rounded down. */
  floor: None;
  /** Rounded up. */
  ceil: None;
  /** To the nearest whole number, halves to the even one. */
  round: None;
  /** Of bools. */
  not: None;
  /** bool: whether NaN. */
  isnan: None;
  /** bool: whether infinite, with either sign. */
  isinf: None;
  /** In another element type, towards zero for integers. */
  cast: { readonly dtype: DType };
  /** The same values, cut off from the gradient. */
  detach: None;

  // Elementwise, broadcasting.
  /** a + b */
  add: None;
  /** a - b */
  sub: None;
  /** a b */
  mul: None;
  /** a / b */
  div: None;
  /** a to the power b. */
  pow: None;
  /** The larger; NaN where either is. */
  maximum: None;
  /** The smaller; NaN where either is. */
  minimum: None;
  /** Remainder with the sign of the divisor (integers). */
  remainder: None;
  /** Remainder with the sign of the dividend. */
  fmod: None;
  /** bool: a = b */
  eq: None;
  /** bool: a < b */
  lt: None;
  /** bool: a ≤ b */
  le: None;
  /** bool: a > b */
  gt: None;
  /** bool: a ≥ b */
  ge: None;
  /** Of bools. */
  and: None;
  /** Of bools. */
  or: None;
  /** Of bools. */
  xor: None;
  /** condition, a, b: a where the condition holds, b elsewhere. */
  where: None;

  // Reductions and scans.
  /** Sum along dimensions. */
  sum: Reduction;
  /** Mean along dimensions. */
  mean: Reduction;
  /** Largest elements along dimensions. */
  amax: Reduction;
  /** Smallest elements along dimensions. */
  amin: Reduction;
  /** Product along dimensions. */
  prod: Reduction;
  /** int64: index of the first largest element. */
  argmax: Along & { readonly keepdim: boolean };
  /** int64: index of the first smallest element. */
  argmin: Along & { readonly keepdim: boolean };
  /** Running sum, from the end with `reverse`. */
  cumsum: Along & { readonly reverse: boolean };
  /**
   * decay and input [batch, steps, ...], initial [batch, ...]: all states, of which each is its decay
   * times the one before, plus its input; with `reverse`, times the one after.
   */
  recurrence: { readonly reverse: boolean };
  /**
   * matrix [n, n], input [steps, n, count]: all states, of which each is the matrix times the one before,
   * plus the one before that, plus its input; with `reverse`, of those after.
   */
  threeTerm: { readonly reverse: boolean };
  /**
   * x and dt [batch, steps, width], rates [size, width], into and out [batch, steps, size], initial
   * [batch, size, width]: with state[t] = exp(dt[t] rates) state[t - 1] + into[t] x[t]ᵀ, the outputs
   * out[t] state[t] [batch, steps, width], or the last state.
   */
  selectiveScan: { readonly result: "outputs" | "state" };
  /** Positions of the k largest (smallest) elements, best first. [k] */
  topk: Along & { readonly largest: boolean };

  // Linear algebra and normalisation.
  /** [..., m, k] and [..., k, n]: products of matrices, batches broadcast. */
  matmul: None;
  /** x [..., in], weight [out, in], bias? [out]. [shape of the result] unless it has rank 2 */
  linear: None;
  /** exp(x) / sum(exp(x)) */
  softmax: Along;
  /** x - log(sum(exp(x))) */
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
  /** Inverses of square matrices. */
  inverse: None;
  /** Determinants of square matrices. */
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
  /** Dimensions in another order. */
  permute: { readonly dims: readonly number[] };
  /** [shape] */
  expand: None;
  /** [starts], [ends]; for a negative step, an end of -1 - size is before the first element. */
  slice: { readonly dims: readonly number[]; readonly steps: readonly number[] };
  /** One after another along a dimension. */
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
  /** x, weight [out, in / groups, ...kernel], bias? [out] */
  conv: Convolution;
  /** The gradient of `conv` with respect to x, as an operation. */
  convTranspose: Convolution & { readonly outputPadding: readonly number[] };
  /** The largest element of each window. */
  maxPool: Pooling;
  /** Positions of the maxima in the flattened input. */
  maxPoolIndices: Pooling;

  /** What a backend has words for, and this library has not. */
  foreign: Foreign;
}

/** Name of an operation. */
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
