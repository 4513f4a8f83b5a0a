import * as math from "./functions/arithmetic.ts";
import type { Operand } from "./functions/arithmetic.ts";
import { type CloseOptions, isclose } from "./functions/distance.ts";
import { sameShape } from "./shape.ts";
import * as special from "./functions/special.ts";
import type { Tensor } from "./tensor.ts";
import { TensorCore } from "./tensor-core.ts";

/** Elementwise methods of a tensor. They broadcast, and take integers as torch does. */
export abstract class TensorMath extends TensorCore {
  // Elementwise.
  add(this: Tensor, other: Operand, { alpha = 1 }: { alpha?: number } = {}): Tensor {
    return math.add(this, other, alpha);
  }
  sub(this: Tensor, other: Operand, { alpha = 1 }: { alpha?: number } = {}): Tensor {
    return math.sub(this, other, alpha);
  }
  mul(this: Tensor, other: Operand): Tensor {
    return math.mul(this, other);
  }
  /** True division; `rounding` rounds the quotient to whole numbers. */
  div(this: Tensor, other: Operand, { rounding }: { rounding?: "floor" | "trunc" } = {}): Tensor {
    return math.div(this, other, rounding);
  }
  floorDivide(this: Tensor, other: Operand): Tensor {
    return math.div(this, other, "floor");
  }
  /** Remainder with the sign of the divisor. */
  remainder(this: Tensor, other: Operand): Tensor {
    return math.remainder(this, other);
  }
  /** Remainder with the sign of this tensor. */
  fmod(this: Tensor, other: Operand): Tensor {
    return math.binary("fmod", this, other);
  }
  pow(this: Tensor, exponent: Operand): Tensor {
    return math.pow(this, exponent);
  }
  maximum(this: Tensor, other: Operand): Tensor {
    return math.binary("maximum", this, other);
  }
  minimum(this: Tensor, other: Operand): Tensor {
    return math.binary("minimum", this, other);
  }
  atan2(this: Tensor, other: Operand): Tensor {
    return math.atan2(this, other);
  }
  neg(this: Tensor): Tensor {
    return math.neg(this);
  }
  abs(this: Tensor): Tensor {
    return math.unary("abs", this);
  }
  sign(this: Tensor): Tensor {
    return math.sign(this);
  }
  square(this: Tensor): Tensor {
    return math.mul(this, this);
  }
  exp(this: Tensor): Tensor {
    return math.floatUnary("exp", this);
  }
  expm1(this: Tensor): Tensor {
    return math.expm1(math.asFloat(this));
  }
  log(this: Tensor): Tensor {
    return math.floatUnary("log", this);
  }
  log2(this: Tensor): Tensor {
    const log = this.log();
    return log.mul(math.constantLike(Math.LOG2E, log));
  }
  log10(this: Tensor): Tensor {
    const log = this.log();
    return log.mul(math.constantLike(Math.LOG10E, log));
  }
  log1p(this: Tensor): Tensor {
    return math.log1p(math.asFloat(this));
  }
  sqrt(this: Tensor): Tensor {
    return math.floatUnary("sqrt", this);
  }
  rsqrt(this: Tensor): Tensor {
    return this.sqrt().reciprocal();
  }
  reciprocal(this: Tensor): Tensor {
    return math.floatUnary("reciprocal", this);
  }
  sin(this: Tensor): Tensor {
    return math.floatUnary("sin", this);
  }
  cos(this: Tensor): Tensor {
    return math.floatUnary("cos", this);
  }
  atan(this: Tensor): Tensor {
    return math.floatUnary("atan", this);
  }
  sinh(this: Tensor): Tensor {
    return math.floatUnary("sinh", this);
  }
  cosh(this: Tensor): Tensor {
    return math.floatUnary("cosh", this);
  }
  tanh(this: Tensor): Tensor {
    return math.floatUnary("tanh", this);
  }
  erf(this: Tensor): Tensor {
    return math.floatUnary("erf", this);
  }
  tan(this: Tensor): Tensor {
    return special.tan(this);
  }
  asin(this: Tensor): Tensor {
    return special.asin(this);
  }
  acos(this: Tensor): Tensor {
    return special.acos(this);
  }
  asinh(this: Tensor): Tensor {
    return special.asinh(this);
  }
  acosh(this: Tensor): Tensor {
    return special.acosh(this);
  }
  atanh(this: Tensor): Tensor {
    return special.atanh(this);
  }
  exp2(this: Tensor): Tensor {
    return special.exp2(this);
  }
  /** log(x / (1 - x)), with x first limited to [eps, 1 - eps] if eps is given. */
  logit(this: Tensor, { eps }: { readonly eps?: number } = {}): Tensor {
    return special.logit(this, eps);
  }
  /** log(exp(x) + exp(other)), stable. */
  logaddexp(this: Tensor, other: Operand): Tensor {
    return special.logaddexp(this, other);
  }
  hypot(this: Tensor, other: Operand): Tensor {
    return special.hypot(this, other);
  }
  /** x log(other), and 0 where x is 0. */
  xlogy(this: Tensor, other: Operand): Tensor {
    return special.xlogy(this, other);
  }
  /** NaN and infinities replaced. @default nan 0, the infinities by the largest finite numbers */
  nanToNum(
    this: Tensor,
    replacements: {
      readonly nan?: number;
      readonly posinf?: number;
      readonly neginf?: number;
    } = {},
  ): Tensor {
    return special.nanToNum(this, replacements);
  }
  erfc(this: Tensor): Tensor {
    const erf = this.erf();
    return math.sub(math.constantLike(1, erf), erf);
  }
  sigmoid(this: Tensor): Tensor {
    return math.floatUnary("sigmoid", this);
  }
  relu(this: Tensor): Tensor {
    return math.relu(this);
  }
  floor(this: Tensor): Tensor {
    return math.rounded("floor", this);
  }
  ceil(this: Tensor): Tensor {
    return math.rounded("ceil", this);
  }
  /** To the nearest whole number (or decimal), halves to the even one. */
  round(this: Tensor, { decimals = 0 }: { readonly decimals?: number } = {}): Tensor {
    if (decimals === 0) return math.rounded("round", this);
    const scale = math.constant(10 ** decimals, this.dtype);
    return math.rounded("round", this.mul(scale)).div(scale);
  }
  /** What is left of the whole number towards zero. */
  frac(this: Tensor): Tensor {
    return this.sub(this.trunc());
  }
  trunc(this: Tensor): Tensor {
    return math.trunc(this);
  }
  clamp(this: Tensor, { min, max }: { min?: Operand; max?: Operand }): Tensor {
    return math.clamp(this, min, max);
  }
  /** (1 - weight) x + weight end. */
  lerp(this: Tensor, end: Tensor, weight: Operand): Tensor {
    return math.lerp(this, end, weight);
  }
  /** x + value a b. */
  addcmul(
    this: Tensor,
    a: Tensor,
    b: Tensor,
    { value = 1 }: { readonly value?: number } = {},
  ): Tensor {
    return math.add(this, math.mul(a, b), value);
  }
  /** x + value a / b. */
  addcdiv(
    this: Tensor,
    a: Tensor,
    b: Tensor,
    { value = 1 }: { readonly value?: number } = {},
  ): Tensor {
    return math.add(this, math.div(a, b), value);
  }
  /** x where the condition holds, `other` elsewhere. */
  where(this: Tensor, condition: Tensor, other: Operand): Tensor {
    return math.where(condition, this, other);
  }

  // Comparisons and logic.
  eq(this: Tensor, other: Operand): Tensor {
    return math.binary("eq", this, other);
  }
  ne(this: Tensor, other: Operand): Tensor {
    return this.eq(other).logicalNot();
  }
  lt(this: Tensor, other: Operand): Tensor {
    return math.binary("lt", this, other);
  }
  le(this: Tensor, other: Operand): Tensor {
    return math.binary("le", this, other);
  }
  gt(this: Tensor, other: Operand): Tensor {
    return math.binary("gt", this, other);
  }
  ge(this: Tensor, other: Operand): Tensor {
    return math.binary("ge", this, other);
  }
  logicalAnd(this: Tensor, other: Tensor): Tensor {
    return math.logical("and", this, other);
  }
  logicalOr(this: Tensor, other: Tensor): Tensor {
    return math.logical("or", this, other);
  }
  logicalXor(this: Tensor, other: Tensor): Tensor {
    return math.logical("xor", this, other);
  }
  logicalNot(this: Tensor): Tensor {
    return math.unary("not", math.cast(this, "bool"));
  }
  isnan(this: Tensor): Tensor {
    return math.predicate("isnan", this);
  }
  isinf(this: Tensor): Tensor {
    return math.predicate("isinf", this);
  }
  isfinite(this: Tensor): Tensor {
    return this.isnan().logicalOr(this.isinf()).logicalNot();
  }
  /** Whether elements differ by at most atol + rtol |other|. @default rtol 1e-5, atol 1e-8 */
  isclose(this: Tensor, other: Tensor, options: CloseOptions = {}): Tensor {
    return isclose(this, other, options);
  }
  /** Whether all elements are close; see {@link isclose}. Computes. */
  async allclose(this: Tensor, other: Tensor, options: CloseOptions = {}): Promise<boolean> {
    return (await isclose(this, other, options).all().item()) !== 0;
  }
  /** Whether shape and all elements are equal. Computes. */
  async equal(this: Tensor, other: Tensor): Promise<boolean> {
    return sameShape(this.shape, other.shape) && (await this.eq(other).all().item()) !== 0;
  }
}
