import type { Origin } from "../../tensor/ops/apply.ts";
import type { OpName } from "../../tensor/ops/ops.ts";
import { numel, sameShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { PartOfText } from "../../tensor/varying.ts";
import { linearVariant, linearVariantOfPart } from "./linear-variant.ts";

/** The variant of an elementwise operation that broadcasts nothing. */
export const SAME_SHAPE = "=";

/** The variant of a scan over a batch of one. */
export const ONE_TEXT = "1";

/** What the library knows of an operation's kernels when it puts a program together. */
export interface Kernels {
  /** Which of several computes this result; part of the signature. "" for the only one. */
  readonly variant: (result: Tensor, inputs: Origin["inputs"]) => string;
  /** The one for parts of texts of any length, where others are better for some. */
  readonly ofPart?: (part: PartOfText, inputs: Origin["inputs"]) => string;
  /** Whether it may be the last one of attention that is written out, or its weights. */
  readonly attention: "end" | "weights" | "no";
  /**
   * What becomes of it where the weights that it reads are built into a program: it is computed
   * once, if it has no sizes (`computed`) or because they are built in too (`sized`). A `constant`
   * is in every program.
   */
  readonly builtIn: "constant" | "computed" | "sized";
  /** Whether ONNX Runtime joins it with what follows, where every size is built in. */
  readonly joins: boolean;
  /** Whether it is nodes that others wrote, in which ONNX Runtime is to find all that it knows. */
  readonly asWritten: boolean;
}

const plain: Kernels = {
  variant: () => "",
  attention: "no",
  builtIn: "computed",
  joins: false,
  asWritten: false,
};

/** Operations on two tensors that may be done on matrices, if nothing is broadcast. */
const matrixWise: Kernels = {
  ...plain,
  variant: ({ shape }, [a, b]) =>
    shape.length > 2 && b !== undefined && sameShape(a?.shape ?? [], b.shape) ? SAME_SHAPE : "",
};

function linearVariantOf({ shape }: Tensor, [, weight]: Origin["inputs"]): string {
  const [outer = 1, inner = 1] = weight?.shape ?? [];
  return linearVariant(numel(shape) / Math.max(1, outer), inner, outer);
}

function linearOfPart(part: PartOfText, [, weight]: Origin["inputs"]): string {
  const [outer = 1, inner = 1] = weight?.shape ?? [];
  return linearVariantOfPart(part, inner, outer);
}

/** The kernels of every operation. */
export const kernels: { readonly [K in OpName]: Kernels } = {
  constant: { ...plain, builtIn: "constant" },
  range: plain,

  neg: plain,
  abs: plain,
  sign: plain,
  exp: plain,
  log: plain,
  sqrt: plain,
  reciprocal: plain,
  sin: plain,
  cos: plain,
  atan: plain,
  sinh: plain,
  cosh: plain,
  tanh: plain,
  erf: plain,
  sigmoid: plain,
  relu: plain,
  gelu: plain,
  floor: plain,
  ceil: plain,
  round: plain,
  not: plain,
  isnan: plain,
  isinf: plain,
  cast: plain,
  detach: plain,

  add: matrixWise,
  sub: matrixWise,
  mul: matrixWise,
  div: matrixWise,
  pow: plain,
  maximum: plain,
  minimum: plain,
  remainder: plain,
  fmod: plain,
  eq: matrixWise,
  lt: matrixWise,
  le: matrixWise,
  gt: matrixWise,
  ge: matrixWise,
  and: plain,
  or: plain,
  xor: plain,
  where: plain,

  sum: plain,
  mean: plain,
  amax: plain,
  amin: plain,
  prod: plain,
  argmax: plain,
  argmin: plain,
  cumsum: plain,
  recurrence: plain,
  threeTerm: plain,
  selectiveScan: { ...plain, variant: (_, [x]) => (x?.shape[0] === 1 ? ONE_TEXT : "") },
  topk: plain,

  matmul: { ...plain, attention: "end" },
  linear: { ...plain, variant: linearVariantOf, ofPart: linearOfPart },
  softmax: { ...plain, attention: "weights" },
  logSoftmax: plain,
  layerNorm: plain,
  rmsNorm: plain,
  rotate: plain,
  inverse: plain,
  det: plain,
  squarings: plain,
  squaringsGrad: plain,
  factor: plain,

  reshape: { ...plain, attention: "end", builtIn: "sized" },
  permute: plain,
  expand: plain,
  slice: plain,
  concat: plain,
  pad: plain,
  trilu: plain,

  indexSelect: plain,
  gather: plain,
  scatter: plain,
  gatherNd: plain,
  scatterNd: plain,

  conv: { ...plain, joins: true },
  convTranspose: plain,
  maxPool: plain,
  maxPoolIndices: plain,

  foreign: { ...plain, asWritten: true },
};
