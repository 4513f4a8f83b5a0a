import { apply } from "../ops/apply.ts";
import { add, cast, div, mul, sub, unary, where } from "../functions/arithmetic.ts";
import {
  convInputGrad,
  convWeightGrad,
  transposeInputGrad,
  transposeWeightGrad,
} from "./convolution-grad.ts";
import { fail } from "../errors.ts";
import { factor } from "./vjp-factors.ts";
import { inverseOrder } from "../functions/advanced-indexing.ts";
import { NONE, type OpName, type Ops } from "../ops/ops.ts";
import { sum } from "../functions/reductions.ts";
import { numel } from "../shape.ts";
import {
  expand,
  flatten,
  reshape,
  sizeAt,
  slice,
  transpose,
  triangle,
} from "../functions/shaping.ts";
import type { Tensor } from "../tensor.ts";
import {
  layerNorm,
  linear,
  logSoftmax,
  matmul,
  rmsNorm,
  rotate,
  softmax,
  squarings,
  squaringsGrad,
} from "./vjp-matrices.ts";
import { at, compare, keepDims, mask, num, type Vjp } from "./vjp-rule.ts";
import { recurrence, selectiveScan, threeTerm } from "./vjp-scans.ts";
import {
  concat,
  gather,
  gatherNd,
  indexSelect,
  maxPool,
  pad,
  scatter,
  scatterNd,
  sliced,
} from "./vjp-shaping.ts";

const none: Vjp<unknown> = () => [];
/** Piecewise constant: the gradient is zero, not absent. */
const flat: Vjp<unknown> = (a) => [expand(num(0, at(a, 0)), at(a, 0).shape)];
const elementwise =
  (slope: (x: Tensor, y: Tensor) => Tensor): Vjp<unknown> =>
  (a) => [mul(a.g, slope(at(a, 0), a.y))];
/** Gradient of gelu: Φ(x) + x φ(x), or the derivative of its tanh form. */
function geluSlope(x: Tensor, approximate: "none" | "tanh"): Tensor {
  const [half, one] = [num(0.5, x), num(1, x)];
  if (approximate === "none") {
    const cdf = mul(half, add(one, unary("erf", mul(x, num(Math.SQRT1_2, x)))));
    const density = mul(
      num(1 / Math.sqrt(2 * Math.PI), x),
      unary("exp", mul(num(-0.5, x), mul(x, x))),
    );
    return add(cdf, mul(x, density));
  }
  const [c, k] = [num(Math.sqrt(2 / Math.PI), x), num(0.044715, x)];
  const square = mul(x, x);
  const t = unary("tanh", mul(c, mul(x, add(one, mul(k, square)))));
  const inner = mul(c, add(one, mul(num(3 * 0.044715, x), square)));
  const bell = mul(mul(half, mul(x, sub(one, mul(t, t)))), inner);
  return add(mul(half, add(one, t)), bell);
}

/** The larger (smaller) operand takes the gradient; equal ones half each, as in torch. */
const choice =
  (wins: "gt" | "lt"): Vjp<unknown> =>
  (a) => {
    const [x, y] = [at(a, 0), at(a, 1)];
    const tie = mul(mask(compare("eq", x, y), x), num(0.5, x));
    const left = add(mask(compare(wins, x, y), x), tie);
    return [mul(a.g, left), mul(a.g, sub(num(1, x), left))];
  };

/** Equal extremes share the gradient. */
const extremum: Vjp<Ops["amax"]> = (a) => {
  const x = at(a, 0);
  const hits = mask(compare("eq", x, keepDims(a.y, x, a.attributes.dims)), x);
  const count = sum(hits, { dim: a.attributes.dims, keepdim: true });
  return [mul(div(hits, count), keepDims(a.g, x, a.attributes.dims))];
};

/** Products of all other elements, from running products of both sides: right with zeros too. */
const product: Vjp<Ops["prod"]> = (a) => {
  const x = at(a, 0);
  const { dims } = a.attributes;
  const rest = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const order = [...rest, ...dims];
  const rows = flattenTail(apply("permute", [x], { dims: order }), rest.length);
  const others = mul(exclusiveProduct(rows, false), exclusiveProduct(rows, true));
  const shaped = reshape(
    others,
    order.map((d) => sizeAt(x, d)),
  );
  const back = apply("permute", [shaped], { dims: inverseOrder(order) });
  return [mul(keepDims(a.g, x, dims), back)];
};

function flattenTail(x: Tensor, rank: number): Tensor {
  return rank === x.shape.length ? reshape(x, [...x.shape, 1]) : flatten(x, rank);
}

function exclusiveProduct(x: Tensor, reverse: boolean): Tensor {
  const dim = x.shape.length - 1;
  const n = sizeAt(x, dim);
  const ones = expand(num(1, x), [...x.shape.slice(0, -1), 1]);
  const shift = (t: Tensor, by: number): Tensor => {
    const filler = expand(num(1, x), [...x.shape.slice(0, -1), by]);
    const parts = reverse ? [slice(t, dim, by), filler] : [filler, slice(t, dim, 0, n - by)];
    return apply("concat", parts, { dim });
  };
  if (n <= 1) return ones;
  let y = shift(x, 1);
  for (let reach = 1; reach < n; reach *= 2) y = mul(y, shift(y, reach));
  return y;
}

/** The gradient of every operation, written with the other operations. */
export const vjps: { readonly [K in OpName]: Vjp<Ops[K]> } = {
  constant: none,
  range: none,

  neg: (a) => [unary("neg", a.g)],
  abs: elementwise((x) => unary("sign", x)),
  sign: flat,
  exp: elementwise((_, y) => y),
  log: (a) => [div(a.g, at(a, 0))],
  sqrt: (a) => [div(a.g, mul(num(2, a.y), a.y))],
  reciprocal: elementwise((_, y) => unary("neg", mul(y, y))),
  sin: elementwise((x) => unary("cos", x)),
  cos: elementwise((x) => unary("neg", unary("sin", x))),
  atan: elementwise((x) => unary("reciprocal", add(num(1, x), mul(x, x)))),
  sinh: elementwise((x) => unary("cosh", x)),
  cosh: elementwise((x) => unary("sinh", x)),
  tanh: elementwise((_, y) => sub(num(1, y), mul(y, y))),
  erf: elementwise((x) =>
    mul(num(2 / Math.sqrt(Math.PI), x), unary("exp", unary("neg", mul(x, x)))),
  ),
  sigmoid: elementwise((_, y) => mul(y, sub(num(1, y), y))),
  // Of the result, so that nobody reads what came in and the engine joins it with what made that.
  relu: elementwise((_, y) => mask(compare("gt", y, num(0, y)), y)),
  gelu: (a) => [mul(a.g, geluSlope(at(a, 0), a.attributes.approximate))],
  floor: flat,
  ceil: flat,
  round: flat,
  not: none,
  isnan: none,
  isinf: none,
  cast: (a) => [cast(a.g, at(a, 0).dtype)],
  detach: none,

  add: (a) => [a.g, a.g],
  sub: (a) => [a.g, a.wanted[1] === true ? unary("neg", a.g) : undefined],
  mul: (a) => [
    a.wanted[0] === true ? mul(a.g, at(a, 1)) : undefined,
    a.wanted[1] === true ? mul(a.g, at(a, 0)) : undefined,
  ],
  div: (a) => [
    div(a.g, at(a, 1)),
    a.wanted[1] === true ? unary("neg", mul(a.g, div(a.y, at(a, 1)))) : undefined,
  ],
  pow: (a) => {
    const [x, p] = [at(a, 0), at(a, 1)];
    const zero = num(0, x);
    const slope = mul(p, apply("pow", [x, sub(p, num(1, x))], NONE));
    // 0 ** p has slope 0 in p for p >= 0, where log(0) would give NaN.
    const log = where(
      compare("gt", x, zero),
      unary("log", where(compare("gt", x, zero), x, num(1, x))),
      zero,
    );
    return [
      a.wanted[0] === true ? mul(a.g, where(compare("eq", p, zero), zero, slope)) : undefined,
      a.wanted[1] === true ? mul(a.g, mul(a.y, log)) : undefined,
    ];
  },
  maximum: choice("gt"),
  minimum: choice("lt"),
  remainder: none,
  fmod: (a) => {
    const quotient = div(sub(at(a, 0), a.y), at(a, 1));
    return [a.g, a.wanted[1] === true ? unary("neg", mul(a.g, quotient)) : undefined];
  },
  eq: none,
  lt: none,
  le: none,
  gt: none,
  ge: none,
  and: none,
  or: none,
  xor: none,
  where: (a) => {
    const zero = num(0, a.g);
    return [
      undefined,
      a.wanted[1] === true ? where(at(a, 0), a.g, zero) : undefined,
      a.wanted[2] === true ? where(at(a, 0), zero, a.g) : undefined,
    ];
  },

  sum: (a) => [expand(keepDims(a.g, at(a, 0), a.attributes.dims), at(a, 0).shape)],
  mean: (a) => {
    const x = at(a, 0);
    const n = numel(x.shape) / Math.max(1, numel(a.y.shape));
    return [expand(keepDims(div(a.g, n), x, a.attributes.dims), x.shape)];
  },
  amax: extremum,
  amin: extremum,
  prod: product,
  argmax: none,
  argmin: none,
  cumsum: (a) => [
    apply("cumsum", [a.g], { dim: a.attributes.dim, reverse: !a.attributes.reverse }),
  ],
  recurrence,
  threeTerm,
  selectiveScan,
  topk: none,

  matmul,
  linear,
  softmax,
  logSoftmax,
  layerNorm,
  rmsNorm,
  rotate,
  squarings,
  squaringsGrad,
  factor,
  inverse: (a) => {
    const yt = transpose(a.y, -1, -2);
    return [unary("neg", apply("matmul", [yt, apply("matmul", [a.g, yt], NONE)], NONE))];
  },
  det: (a) => {
    const scale = reshape(mul(a.g, a.y), [...a.y.shape, 1, 1]);
    return [mul(scale, transpose(apply("inverse", [at(a, 0)], NONE), -1, -2))];
  },

  reshape: (a) => [reshape(a.g, at(a, 0).shape)],
  permute: (a) => [apply("permute", [a.g], { dims: inverseOrder(a.attributes.dims) })],
  expand: (a) => [a.g],
  slice: sliced,
  concat,
  pad,
  trilu: (a) => [triangle(a.g, a.attributes.upper, a.sizes[0]?.[0] ?? 0)],

  indexSelect,
  gather,
  scatter,
  gatherNd,
  scatterNd,

  conv: (a) => {
    const [x, w] = [at(a, 0), at(a, 1)];
    return [
      a.wanted[0] === true ? convInputGrad(a.g, w, x.shape, a.attributes) : undefined,
      a.wanted[1] === true ? convWeightGrad(a.g, x, w.shape, a.attributes) : undefined,
      a.wanted[2] === true ? sum(a.g, { dim: channelsOut(a.g) }) : undefined,
    ];
  },
  convTranspose: (a) => {
    const [x, w] = [at(a, 0), at(a, 1)];
    return [
      a.wanted[0] === true ? transposeInputGrad(a.g, w, a.attributes) : undefined,
      a.wanted[1] === true ? transposeWeightGrad(a.g, x, w.shape, a.attributes) : undefined,
      a.wanted[2] === true ? sum(a.g, { dim: channelsOut(a.g) }) : undefined,
    ];
  },
  maxPool,
  maxPoolIndices: none,

  foreign: ({ attributes }) =>
    fail(
      "grad",
      `${attributes.facts.label} has no gradient; detach() what it reads, or its result`,
    ),
};

/** Every dimension but the channels'. */
function channelsOut(g: Tensor): number[] {
  return g.shape.map((_, i) => i).filter((i) => i !== 1);
}
