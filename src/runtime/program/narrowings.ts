import type { OpName, Ops } from "../../tensor/ops/ops.ts";
import { numel } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Part } from "./narrow.ts";

/** One operation of which only a part of the result is wanted. */
export interface NarrowedApplication<Attributes> {
  readonly result: Tensor;
  readonly part: Part;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes;
  /** Its size operands. */
  readonly sizes: readonly (readonly number[])[];
}

/**
 * The part of each operand that a part of the result needs (`undefined`: all of it), or
 * `undefined` where the operation has to be computed whole.
 */
export type Narrowing<Attributes> = (
  application: NarrowedApplication<Attributes>,
) => readonly (Part | undefined)[] | undefined;

const at = (part: Part, dim: number): Part => ({ ...part, dim });

/** Broadcasting counts dimensions from the last; a size of 1 serves every part. */
function broadcastPart(x: Tensor, result: Tensor, part: Part): Part | undefined {
  const dim = part.dim - (result.shape.length - x.shape.length);
  return dim < 0 || (x.shape[dim] === 1 && result.shape[part.dim] !== 1)
    ? undefined
    : at(part, dim);
}

const elementwise: Narrowing<unknown> = ({ result, part, inputs }) =>
  inputs.map((x) => broadcastPart(x, result, part));

/** Only the dimension `dim` mixes positions. */
const besides: Narrowing<{ readonly dim: number }> = ({ part, inputs, attributes }) =>
  part.dim === attributes.dim ? undefined : inputs.map(() => part);

const reduction: Narrowing<Ops["sum"]> = ({ part, inputs, attributes: { dims, keepdim } }) => {
  const rank = inputs[0]?.shape.length ?? 0;
  if (keepdim) return dims.includes(part.dim) ? undefined : [part];
  const kept = Array.from({ length: rank }, (_, d) => d).filter((d) => !dims.includes(d));
  const dim = kept[part.dim];
  return dim === undefined ? undefined : [at(part, dim)];
};

/** Of the operands, only the first has what is not normed over. */
const norm: Narrowing<{ readonly axes: number }> = ({ result, part, inputs, attributes }) =>
  part.dim >= result.shape.length - attributes.axes
    ? undefined
    : inputs.map((_, i) => (i === 0 ? part : undefined));

const matmul: Narrowing<unknown> = ({ result, part, inputs }) => {
  const rank = result.shape.length;
  const [a, b] = inputs as [Tensor, Tensor];
  if (part.dim === rank - 2) return [at(part, a.shape.length - 2), undefined];
  if (part.dim === rank - 1) return [undefined, at(part, b.shape.length - 1)];
  return [broadcastPart(a, result, part), broadcastPart(b, result, part)];
};

/** A dimension that a reshape neither splits nor joins: as many elements before it. */
const reshape: Narrowing<unknown> = ({ result, part, inputs }) => {
  const shape = inputs[0]?.shape ?? [];
  const before = numel(result.shape.slice(0, part.dim));
  const size = result.shape[part.dim];
  const dim = shape.findIndex((n, d) => n === size && numel(shape.slice(0, d)) === before);
  return dim < 0 ? undefined : [at(part, dim)];
};

const indexSelect: Narrowing<Ops["indexSelect"]> = ({ part, inputs, attributes: { dim } }) => {
  const rank = inputs[1]?.shape.length ?? 0;
  if (part.dim < dim) return [part, undefined];
  if (part.dim < dim + rank) return [undefined, at(part, part.dim - dim)];
  return [at(part, part.dim - rank + 1), undefined];
};

/** The position of an element along a dimension, which other dimensions do not take part in. */
const position: Narrowing<Ops["argmax"]> = (application) => {
  const { dim, keepdim } = application.attributes;
  return reduction({ ...application, attributes: { dims: [dim], keepdim } });
};

/** Each matrix by itself. */
const matrices: Narrowing<unknown> = ({ part, inputs }) =>
  part.dim >= (inputs[0]?.shape.length ?? 0) - 2
    ? undefined
    : inputs.map(({ shape }) => (shape.length === 0 ? undefined : part));

/**
 * Elements that are read or written along one dimension, of operands of one size along others. ONNX
 * Runtime cannot do that to none.
 */
const elements: Narrowing<{ readonly dim: number }> = (application) => {
  const { result, part, inputs } = application;
  const size = result.shape[part.dim];
  const fits = part.end > part.start && inputs.every(({ shape }) => shape[part.dim] === size);
  return fits ? besides(application) : undefined;
};

const gatherNd: Narrowing<unknown> = ({ part, inputs: [x, index] }) => {
  const [points, depth] = [(index?.shape.length ?? 1) - 1, index?.shape.at(-1) ?? 0];
  if (part.dim < points) return [undefined, part];
  return x === undefined ? undefined : [at(part, part.dim - points + depth), undefined];
};

const pad: Narrowing<Ops["pad"]> = ({ result, part, sizes: [pads = []] }) => {
  const isMoved = pads[part.dim] !== 0 || pads[result.shape.length + part.dim] !== 0;
  return isMoved ? undefined : [part];
};

/** A window sees one image, of the channels all or its own. ONNX Runtime has no windows on none. */
const windows =
  (apart: number): Narrowing<unknown> =>
  ({ part, inputs }) =>
    part.dim < apart && part.end > part.start
      ? inputs.map((_, i) => (i === 0 ? part : undefined))
      : undefined;

/** By batch, by width, or by the numbers of a state, but not by steps. */
const selectiveScan: Narrowing<Ops["selectiveScan"]> = ({ part, attributes: { result } }) => {
  if (part.dim === 0) return [part, part, undefined, part, part, part];
  if (part.dim === 2) return [part, part, at(part, 1), undefined, undefined, part];
  if (result === "outputs") return undefined;
  const numbers = at(part, 2);
  return [undefined, undefined, at(part, 0), numbers, numbers, part];
};

/** How a part of each operation's result is had from parts of its operands; `null`: not at all. */
export const narrowings: { readonly [K in OpName]: Narrowing<Ops[K]> | null } = {
  constant: null,
  range: null,

  neg: elementwise,
  abs: elementwise,
  sign: elementwise,
  exp: elementwise,
  log: elementwise,
  sqrt: elementwise,
  reciprocal: elementwise,
  sin: elementwise,
  cos: elementwise,
  atan: elementwise,
  sinh: elementwise,
  cosh: elementwise,
  tanh: elementwise,
  erf: elementwise,
  sigmoid: elementwise,
  relu: elementwise,
  gelu: elementwise,
  floor: elementwise,
  ceil: elementwise,
  round: elementwise,
  not: elementwise,
  isnan: elementwise,
  isinf: elementwise,
  cast: elementwise,
  detach: elementwise,

  add: elementwise,
  sub: elementwise,
  mul: elementwise,
  div: elementwise,
  pow: elementwise,
  maximum: elementwise,
  minimum: elementwise,
  remainder: elementwise,
  fmod: elementwise,
  eq: elementwise,
  lt: elementwise,
  le: elementwise,
  gt: elementwise,
  ge: elementwise,
  and: elementwise,
  or: elementwise,
  xor: elementwise,
  where: elementwise,

  sum: reduction,
  mean: reduction,
  amax: reduction,
  amin: reduction,
  prod: reduction,
  argmax: position,
  argmin: position,
  cumsum: besides,
  recurrence: ({ part }) => {
    if (part.dim === 1) return undefined;
    return [part, part, at(part, Math.max(0, part.dim - 1))];
  },
  threeTerm: ({ part }) => (part.dim === 2 ? [undefined, part] : undefined),
  selectiveScan,
  topk: besides,

  matmul,
  linear: ({ result, part, inputs }) =>
    part.dim === result.shape.length - 1
      ? undefined
      : inputs.map((_, i) => (i === 0 ? part : undefined)),
  softmax: besides,
  logSoftmax: besides,
  layerNorm: norm,
  rmsNorm: norm,
  rotate: ({ part }) => {
    if (part.dim === 3) return undefined;
    if (part.dim === 1) return [part, undefined, undefined];
    const angles = at(part, part.dim === 0 ? 0 : 1);
    return [part, angles, angles];
  },
  inverse: matrices,
  det: matrices,
  squarings: matrices,
  squaringsGrad: matrices,
  factor: null,

  reshape,
  permute: ({ part, attributes: { dims } }) => [at(part, dims[part.dim] ?? 0)],
  expand: elementwise,
  slice: ({ part, attributes: { dims } }) => (dims.includes(part.dim) ? undefined : [part]),
  concat: besides,
  pad,
  trilu: matrices,

  indexSelect,
  gather: elements,
  scatter: elements,
  gatherNd,
  scatterNd: null,

  conv: windows(1),
  convTranspose: windows(1),
  maxPool: windows(2),
  maxPoolIndices: null,

  foreign: null,
};

/** Whether an operation is done element by element on operands that broadcast. */
export function isElementwise(op: OpName): boolean {
  return narrowings[op] === elementwise;
}
