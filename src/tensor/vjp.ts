import { apply } from "./apply.ts";
import { add, cast, constant, div, mul, sub, unary, where } from "./arithmetic.ts";
import {
  convInputGrad,
  convWeightGrad,
  transposeInputGrad,
  transposeWeightGrad,
} from "./convolution-grad.ts";
import { inverseOrder } from "./indexing.ts";
import { NONE, type OpName, type Ops } from "./ops.ts";
import { mean, reduceTo, sum } from "./reductions.ts";
import { numel } from "./shape.ts";
import { expand, flatten, reshape, sizeAt, slice, transpose, triangle } from "./shaping.ts";
import type { Tensor } from "./tensor.ts";

/** One application of an operation, seen from its result's gradient. */
export interface Application<Attributes> {
  /** Gradient with respect to the result. */
  readonly g: Tensor;
  /** The result itself. */
  readonly y: Tensor;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes;
  readonly sizes: readonly (readonly number[])[];
  /** Which operands' gradients are needed. */
  readonly wanted: readonly boolean[];
}

/**
 * Vector-Jacobian product: the gradient of each operand, `undefined` where there is none. A part
 * may still be broadcast: the driver sums it to the operand's shape.
 */
export type Vjp<Attributes> = (
  application: Application<Attributes>,
) => readonly (Tensor | undefined)[];

type Any = Application<unknown>;

/** The i-th operand; that there are so many was checked when the operation was recorded. */
const at = (a: Any, i: number): Tensor => a.inputs[i] as Tensor;
const num = (value: number, like: Tensor): Tensor => constant(value, like.dtype);
const none: Vjp<unknown> = () => [];
/** Piecewise constant: the gradient is zero, not absent. */
const flat: Vjp<unknown> = (a) => [expand(num(0, at(a, 0)), at(a, 0).shape)];
const elementwise =
  (slope: (x: Tensor, y: Tensor) => Tensor): Vjp<unknown> =>
  (a) => [mul(a.g, slope(at(a, 0), a.y))];
const zerosLike = (x: Tensor): Tensor => expand(num(0, x), x.shape);

/** `condition` as 0 and 1 in x's dtype. */
const mask = (condition: Tensor, x: Tensor): Tensor => cast(condition, x.dtype);
const compare = (op: "eq" | "gt" | "lt", x: Tensor, y: Tensor): Tensor => apply(op, [x, y], NONE);

/** Gives a reduced tensor its reduced dimensions back, with size 1. */
function keepDims(t: Tensor, x: Tensor, dims: readonly number[]): Tensor {
  return reshape(
    t,
    x.shape.map((n, i) => (dims.includes(i) ? 1 : n)),
  );
}

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

const matmul: Vjp<unknown> = (a) => {
  const [x, y] = [at(a, 0), at(a, 1)];
  return [
    a.wanted[0] === true ? apply("matmul", [a.g, transpose(y, -1, -2)], NONE) : undefined,
    a.wanted[1] === true ? apply("matmul", [transpose(x, -1, -2), a.g], NONE) : undefined,
  ];
};

const linear: Vjp<unknown> = (a) => {
  const [x, w] = [at(a, 0), at(a, 1)];
  const rows = (t: Tensor): Tensor =>
    reshape(t, [numel(t.shape.slice(0, -1)), t.shape.at(-1) ?? 1]);
  const g = rows(a.g);
  return [
    a.wanted[0] === true ? reshape(apply("matmul", [g, w], NONE), x.shape) : undefined,
    a.wanted[1] === true ? apply("matmul", [transpose(g, 0, 1), rows(x)], NONE) : undefined,
    a.wanted[2] === true ? sum(g, { dim: 0 }) : undefined,
  ];
};

const softmax: Vjp<Ops["softmax"]> = ({ g, y, attributes: { dim } }) => {
  const weighted = mul(g, y);
  return [sub(weighted, mul(y, sum(weighted, { dim, keepdim: true })))];
};

const logSoftmax: Vjp<Ops["logSoftmax"]> = ({ g, y, attributes: { dim } }) => [
  sub(g, mul(unary("exp", y), sum(g, { dim, keepdim: true }))),
];

const layerNorm: Vjp<Ops["layerNorm"]> = (a) => {
  const [x, w] = [at(a, 0), at(a, 1)];
  const dim = x.shape.map((_, i) => i).slice(x.shape.length - a.attributes.axes);
  const over = { dim, keepdim: true };
  const centred = sub(x, mean(x, over));
  const variance = mean(mul(centred, centred), over);
  const scale = unary("reciprocal", unary("sqrt", add(variance, num(a.attributes.eps, x))));
  const normed = mul(centred, scale);
  const gw = mul(a.g, w);
  const inner = sub(gw, add(mean(gw, over), mul(normed, mean(mul(gw, normed), over))));
  return [
    a.wanted[0] === true ? mul(scale, inner) : undefined,
    a.wanted[1] === true ? reduceTo(mul(a.g, normed), w.shape) : undefined,
    a.wanted[2] === true ? reduceTo(a.g, w.shape) : undefined,
  ];
};

/** Writes the gradient into zeros where the slice was read. */
const sliced: Vjp<Ops["slice"]> = (a) => {
  const x = at(a, 0);
  const { dims, steps } = a.attributes;
  return [
    dims.reduceRight((g, d, i) => {
      const [start, step, n] = [a.sizes[0]?.[i] ?? 0, steps[i] ?? 1, sizeAt(x, d)];
      if (step === 1) return padTo(g, d, start, n);
      const zero = expand(
        num(0, g),
        g.shape.map((m, j) => (j === d ? n : m)),
      );
      const rows = apply("range", [], NONE, [[start], [start + step * sizeAt(g, d)], [step]]);
      const front = movedTo(zero, d, 0);
      const index = reshape(rows, [sizeAt(g, d), 1]);
      return movedTo(
        apply("scatterNd", [front, index, movedTo(g, d, 0)], { reduce: "none" }),
        0,
        d,
      );
    }, a.g),
  ];
};

function padTo(g: Tensor, dim: number, start: number, n: number): Tensor {
  const [before, after] = [start, n - start - sizeAt(g, dim)];
  const pads = [
    ...g.shape.map((_, i) => (i === dim ? before : 0)),
    ...g.shape.map((_, i) => (i === dim ? after : 0)),
  ];
  return apply("pad", [g], { mode: "constant", value: 0 }, [pads]);
}

function movedTo(x: Tensor, from: number, to: number): Tensor {
  if (from === to) return x;
  const dims = x.shape.map((_, d) => d).filter((d) => d !== from);
  dims.splice(to, 0, from);
  return apply("permute", [x], { dims });
}

const concat: Vjp<Ops["concat"]> = (a) => {
  let start = 0;
  return a.inputs.map((t) => {
    const from = start;
    start += sizeAt(t, a.attributes.dim);
    return slice(a.g, a.attributes.dim, from, start);
  });
};

/** Cuts the padding off; mirrored values add to where they were copied from. */
const pad: Vjp<Ops["pad"]> = (a) => {
  const x = at(a, 0);
  const pads = a.sizes[0] ?? [];
  if (a.attributes.mode === "constant") {
    const negated = pads.map((n) => -n);
    return [apply("pad", [a.g], { mode: "constant", value: 0 }, [negated])];
  }
  const positions = reshape(apply("range", [], NONE, [[0], [numel(x.shape)], [1]]), x.shape);
  const sources = apply("pad", [positions], { mode: a.attributes.mode, value: 0 }, [pads]);
  const into = expand(num(0, x), [numel(x.shape)]);
  const index = reshape(sources, [numel(a.g.shape), 1]);
  const summed = apply("scatterNd", [into, index, reshape(a.g, [numel(a.g.shape)])], {
    reduce: "add",
  });
  return [reshape(summed, x.shape)];
};

const indexSelect: Vjp<Ops["indexSelect"]> = (a) => {
  const [x, index] = [at(a, 0), at(a, 1)];
  const { dim } = a.attributes;
  const zero = movedTo(zerosLike(x), dim, 0);
  const span = index.shape.map((_, i) => dim + i);
  const order = [...span, ...a.g.shape.map((_, i) => i).filter((i) => !span.includes(i))];
  const rows = apply("permute", [a.g], { dims: order });
  const points = reshape(index, [...index.shape, 1]);
  return [movedTo(apply("scatterNd", [zero, points, rows], { reduce: "add" }), 0, dim)];
};

const gather: Vjp<Ops["gather"]> = (a) => [
  apply("scatter", [zerosLike(at(a, 0)), at(a, 1), a.g], { dim: a.attributes.dim, reduce: "add" }),
];

const scatter: Vjp<Ops["scatter"]> = (a) => {
  const [index, source] = [at(a, 1), at(a, 2)];
  const { dim, reduce } = a.attributes;
  const read = apply("gather", [a.g, index], { dim });
  if (reduce === "add") return [a.g, undefined, read];
  if (reduce !== "none") return refuseReduction("scatter", reduce);
  return [
    apply("scatter", [a.g, index, zerosLike(source)], { dim, reduce: "none" }),
    undefined,
    read,
  ];
};

const scatterNd: Vjp<Ops["scatterNd"]> = (a) => {
  const [index, source] = [at(a, 1), at(a, 2)];
  const { reduce } = a.attributes;
  const read = apply("gatherNd", [a.g, index], NONE);
  if (reduce === "add") return [a.g, undefined, read];
  if (reduce !== "none") return refuseReduction("scatterNd", reduce);
  const kept = apply("scatterNd", [a.g, index, zerosLike(source)], { reduce: "none" });
  return [kept, undefined, read];
};

function refuseReduction(op: string, reduce: string): never {
  throw new Error(`${op}: reduction "${reduce}" has no gradient here; use "add", or detach() it`);
}

const gatherNd: Vjp<unknown> = (a) => [
  apply("scatterNd", [zerosLike(at(a, 0)), at(a, 1), a.g], { reduce: "add" }),
];

const maxPool: Vjp<Ops["maxPool"]> = (a) => {
  const x = at(a, 0);
  const where = apply("maxPoolIndices", [x], a.attributes);
  const n = numel(a.g.shape);
  const zero = expand(num(0, x), [numel(x.shape)]);
  const points = [reshape(where, [n, 1]), reshape(a.g, [n])];
  return [reshape(apply("scatterNd", [zero, ...points], { reduce: "add" }), x.shape)];
};

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
  relu: elementwise((x) => mask(compare("gt", x, num(0, x)), x)),
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
  topkValues: (a) => {
    const index = apply("topkIndices", a.inputs, a.attributes, a.sizes);
    const { dim } = a.attributes;
    return [apply("scatter", [zerosLike(at(a, 0)), index, a.g], { dim, reduce: "add" })];
  },
  topkIndices: none,

  matmul,
  linear,
  softmax,
  logSoftmax,
  layerNorm,
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
};

/** Every dimension but the channels'. */
function channelsOut(g: Tensor): number[] {
  return g.shape.map((_, i) => i).filter((i) => i !== 1);
}
