import { apply } from "../ops/apply.ts";
import {
  add,
  asFloat,
  atan2,
  binary,
  constantLike,
  div,
  floatUnary,
  log1p,
  mul,
  type Operand,
  promoted,
  sub,
  unary,
  where,
} from "./arithmetic.ts";
import { isFloat } from "../dtype.ts";
import { NONE } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";

const num = (value: number, x: Tensor): Tensor => constantLike(value, x);
const isInfinite = (x: Tensor): Tensor => apply("isinf", [x], NONE);

export function tan(x: Tensor): Tensor {
  return div(floatUnary("sin", x), floatUnary("cos", x));
}

/** sqrt(1 - x²), exact near the ends. */
function complement(x: Tensor): Tensor {
  return unary("sqrt", mul(sub(num(1, x), x), add(num(1, x), x)));
}

export function asin(x: Tensor): Tensor {
  const y = asFloat(x);
  return atan2(y, complement(y));
}

export function acos(x: Tensor): Tensor {
  const y = asFloat(x);
  return atan2(complement(y), y);
}

export function asinh(x: Tensor): Tensor {
  const y = asFloat(x);
  const one = num(1, y);
  const size = unary("abs", y);
  const root = unary("sqrt", add(mul(size, size), one));
  // asinh(x) = log(x + sqrt(x² + 1)); this form keeps small x exact.
  return mul(unary("sign", y), log1p(add(size, div(mul(size, size), add(one, root)))));
}

export function acosh(x: Tensor): Tensor {
  const y = asFloat(x);
  const above = sub(y, num(1, y));
  return log1p(add(above, unary("sqrt", mul(above, add(y, num(1, y))))));
}

export function atanh(x: Tensor): Tensor {
  const y = asFloat(x);
  const size = unary("abs", y);
  const half = mul(num(0.5, y), log1p(div(mul(num(2, y), size), sub(num(1, y), size))));
  return mul(unary("sign", y), half);
}

/** 2 to the power x. */
export function exp2(x: Tensor): Tensor {
  const y = asFloat(x);
  return apply("pow", [num(2, y), y], NONE);
}

/** log(x / (1 - x)), with x first limited to [eps, 1 - eps] if eps is given. */
export function logit(x: Tensor, eps?: number): Tensor {
  const y = asFloat(x);
  const p = eps === undefined ? y : y.clamp({ min: num(eps, y), max: num(1 - eps, y) });
  return unary("log", div(p, sub(num(1, y), p)));
}

/** log(exp(a) + exp(b)), stable. */
export function logaddexp(a: Operand, b: Operand): Tensor {
  const [x, y] = promoted("logaddexp", a, b);
  const top = apply("maximum", [x, y], NONE);
  // Equal infinities have no difference.
  const equal = apply("eq", [x, y], NONE);
  const gap = unary(
    "neg",
    unary("abs", sub(where(equal, num(0, x), x), where(equal, num(0, y), y))),
  );
  return add(top, log1p(unary("exp", gap)));
}

/** sqrt(a² + b²), without overflow on the way. */
export function hypot(a: Operand, b: Operand): Tensor {
  const [x, y] = promoted("hypot", a, b).map((t) => unary("abs", asFloat(t))) as [Tensor, Tensor];
  const [high, low] = [apply("maximum", [x, y], NONE), apply("minimum", [x, y], NONE)];
  const plain = apply("eq", [high, num(0, high)], NONE);
  const any = where(plain, num(1, high), high);
  const ratio = div(low, any);
  const length = mul(high, unary("sqrt", add(num(1, high), mul(ratio, ratio))));
  const infinite = apply("or", [isInfinite(x), isInfinite(y)], NONE);
  return where(infinite, num(Infinity, high), length);
}

/** a log(b), and 0 where a is 0. */
export function xlogy(a: Operand, b: Operand): Tensor {
  const [x, y] = promoted("xlogy", a, b).map(asFloat) as [Tensor, Tensor];
  const zero = apply("eq", [x, num(0, x)], NONE);
  const safe = where(zero, num(1, y), y);
  const product = where(zero, num(0, x), mul(x, unary("log", safe)));
  return where(apply("isnan", [y], NONE), y, product);
}

/** NaN and infinities replaced. @default nan 0, the infinities by the largest finite numbers */
export function nanToNum(
  x: Tensor,
  replacements: { readonly nan?: number; readonly posinf?: number; readonly neginf?: number } = {},
): Tensor {
  if (!isFloat(x.dtype)) return x;
  const largest = LARGEST[x.dtype as keyof typeof LARGEST];
  const { nan = 0, posinf = largest, neginf = -largest } = replacements;
  const finite = where(apply("isnan", [x], NONE), num(nan, x), x);
  const low = where(binary("eq", finite, num(-Infinity, x)), num(neginf, x), finite);
  return where(binary("eq", low, num(Infinity, x)), num(posinf, x), low);
}

const LARGEST = {
  float64: Number.MAX_VALUE,
  float32: 3.4028234663852886e38,
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
} as const;
