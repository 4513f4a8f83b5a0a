import type { Origin } from "./apply.ts";
import type { OpName, Ops } from "./ops.ts";
import { numel } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** Multiply-adds of one operation, from its result and its operands. */
type MultiplyAdds = (result: Tensor, inputs: Origin["inputs"]) => number;

/** What the library knows of an operation besides its shapes, its gradient and its kernels. */
export interface Traits {
  /**
   * Whether it computes, or only moves numbers about or converts them, which types for storage have
   * too.
   */
  readonly does: "computes" | "moves";
  /** What its size operands are: the shape of the result, 0-d numbers, or lists of bounds and counts. */
  readonly sizes: "none" | "shape" | "numbers" | "lists";
  /** Whether a gradient flows through it, if it flows at all between its types. */
  readonly gradient: "flows" | "stops";
  /** Multiply-adds in products, convolutions and recurrences; nothing else counts. */
  readonly multiplyAdds: MultiplyAdds;
}

const foreignWork = ({ attributes }: Origin): number =>
  (attributes as Ops["foreign"]).facts.multiplyAdds;

const plain: Traits = {
  does: "computes",
  sizes: "none",
  gradient: "flows",
  multiplyAdds: () => 0,
};
const moved: Traits = { ...plain, does: "moves" };

function counting(multiplyAdds: MultiplyAdds): Traits {
  return { ...plain, multiplyAdds };
}

const dims = (t: Tensor | undefined, from = 0): number => numel(t?.shape.slice(from) ?? []);
const last = (t: Tensor | undefined): number => t?.shape.at(-1) ?? 0;

const product: MultiplyAdds = (result, [x]) => numel(result.shape) * last(x);
/** Square matrices that are multiplied with themselves, or solved. */
const cubic: MultiplyAdds = (_, [x]) => dims(x) * last(x);

/** The traits of every operation. */
export const traits: { readonly [K in OpName]: Traits } = {
  constant: plain,
  range: { ...plain, sizes: "numbers" },

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
  cast: moved,
  detach: { ...moved, gradient: "stops" },

  add: plain,
  sub: plain,
  mul: plain,
  div: plain,
  pow: plain,
  maximum: plain,
  minimum: plain,
  remainder: plain,
  fmod: plain,
  eq: plain,
  lt: plain,
  le: plain,
  gt: plain,
  ge: plain,
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
  recurrence: counting((result) => numel(result.shape)),
  threeTerm: counting((result, [matrix]) => numel(result.shape) * last(matrix)),
  // Each number of a state fades and is read out at each step.
  selectiveScan: counting((_, [x, , rates]) => 2 * dims(x) * (rates?.shape[0] ?? 0)),
  topk: { ...plain, sizes: "lists" },

  matmul: counting(product),
  linear: { ...counting(product), sizes: "shape" },
  softmax: plain,
  logSoftmax: plain,
  layerNorm: plain,
  rmsNorm: plain,
  rotate: plain,
  inverse: counting(cubic),
  det: counting((_, [x]) => Math.ceil((dims(x) * last(x)) / 3)),
  // How often they are squared is a tensor: at least once.
  squarings: counting(cubic),
  squaringsGrad: counting(cubic),
  factor: plain,

  reshape: { ...moved, sizes: "shape" },
  permute: moved,
  expand: { ...moved, sizes: "shape" },
  slice: { ...moved, sizes: "lists" },
  concat: moved,
  pad: { ...plain, sizes: "lists" },
  trilu: { ...plain, sizes: "numbers" },

  indexSelect: moved,
  gather: moved,
  scatter: plain,
  gatherNd: moved,
  scatterNd: plain,

  conv: counting((result, [, w]) => numel(result.shape) * dims(w, 1)),
  convTranspose: counting((_, [x, w]) => dims(x) * dims(w, 1)),
  maxPool: plain,
  maxPoolIndices: plain,

  foreign: counting(({ origin }) => (origin?.op === "foreign" ? foreignWork(origin) : 0)),
};
