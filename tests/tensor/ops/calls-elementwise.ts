import { functional as F, type Tensor, tensor, where } from "tsvene";
import type { Call } from "./golden.ts";

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;

/** The call's inputs in their recorded order, whatever their names. */
const first =
  (f: Unary): Call =>
  (inputs) =>
    f(Object.values(inputs)[0] as Tensor);
const two =
  (f: Binary): Call =>
  (inputs) => {
    const [a, b] = Object.values(inputs);
    return f(a as Tensor, b as Tensor);
  };

/** Elementwise operations and comparisons. */
export const elementwiseCalls: Readonly<Record<string, Call>> = {
  abs: first((x) => x.abs()),
  add: two((a, b) => a.add(b)),
  "add/alpha": two((a, b) => a.add(b, { alpha: -2.5 })),
  atan: first((x) => x.atan()),
  atan2: two((a, b) => a.atan2(b)),
  ceil: first((x) => x.ceil()),
  "clamp/both": first((x) => x.clamp({ min: -0.5, max: 0.8 })),
  "clamp/min": first((x) => x.clamp({ min: 0.1 })),
  "clamp/tensor": ({ x, lo, hi }) => (x as Tensor).clamp({ min: lo as Tensor, max: hi as Tensor }),
  cos: first((x) => x.cos()),
  cosh: first((x) => x.cosh()),
  div: two((a, b) => a.div(b)),
  "div/rounding_floor": two((a, b) => a.div(b, { rounding: "floor" })),
  "div/rounding_trunc": two((a, b) => a.div(b, { rounding: "trunc" })),
  elu: first((x) => F.elu(x)),
  eq: two((a, b) => a.eq(b)),
  erf: first((x) => x.erf()),
  erfc: first((x) => x.erfc()),
  exp: first((x) => x.exp()),
  expm1: first((x) => x.expm1()),
  floor: first((x) => x.floor()),
  floor_divide: two((a, b) => a.floorDivide(b)),
  fmod: two((a, b) => a.fmod(b)),
  ge: two((a, b) => a.ge(b)),
  "gelu/exact": first((x) => F.gelu(x)),
  "gelu/tanh": first((x) => F.gelu(x, { approximate: "tanh" })),
  glu: first((x) => F.glu(x, 1)),
  gt: two((a, b) => a.gt(b)),
  hardtanh: first((x) => F.hardtanh(x)),
  isfinite: ({ x }) => {
    const t = x as Tensor;
    return [t.isnan(), t.isinf(), t.isfinite()];
  },
  le: two((a, b) => a.le(b)),
  leaky_relu: first((x) => F.leakyRelu(x)),
  lerp: ({ a, b, w }) => (a as Tensor).lerp(b as Tensor, w as Tensor),
  log: first((x) => x.log()),
  log10: first((x) => x.log10()),
  log1p: first((x) => x.log1p()),
  log2: first((x) => x.log2()),
  logical: ({ a, b }) => {
    const [x, y] = [a as Tensor, b as Tensor];
    return [x.logicalAnd(y), x.logicalOr(y), x.logicalNot(), x.logicalXor(y)];
  },
  logsigmoid: first((x) => F.logsigmoid(x)),
  lt: two((a, b) => a.lt(b)),
  masked_fill: ({ x, m }) => (x as Tensor).maskedFill(m as Tensor, -1e9),
  maximum: two((a, b) => a.maximum(b)),
  minimum: two((a, b) => a.minimum(b)),
  mish: first((x) => F.mish(x)),
  mul: two((a, b) => a.mul(b)),
  ne: two((a, b) => a.ne(b)),
  neg: first((x) => x.neg()),
  "pow/scalar": first((x) => x.pow(3)),
  "pow/half": first((x) => x.pow(0.5)),
  "pow/neg": first((x) => x.pow(-1.5)),
  "pow/tensor": two((a, b) => a.pow(b)),
  "pow/base_scalar": first((x) => tensor(2).pow(x)),
  reciprocal: first((x) => x.reciprocal()),
  relu: first((x) => x.relu()),
  remainder: two((a, b) => a.remainder(b)),
  round: first((x) => x.round()),
  rsqrt: first((x) => x.rsqrt()),
  selu: first((x) => F.selu(x)),
  sigmoid: first((x) => x.sigmoid()),
  sign: first((x) => x.sign()),
  silu: first((x) => F.silu(x)),
  sin: first((x) => x.sin()),
  sinh: first((x) => x.sinh()),
  softplus: first((x) => F.softplus(x)),
  sqrt: first((x) => x.sqrt()),
  square: first((x) => x.square()),
  sub: two((a, b) => a.sub(b)),
  tanh: first((x) => x.tanh()),
  where: ({ c, a, b }) => where(c as Tensor, a as Tensor, b as Tensor),
};
