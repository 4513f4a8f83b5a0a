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
  /** x + alpha other, broadcast; for two bool tensors, whether either is true. */
  add(this: Tensor, other: Operand, { alpha = 1 }: { alpha?: number } = {}): Tensor {
    return math.add(this, other, alpha);
  }
  /** x - alpha other, broadcast. */
  sub(this: Tensor, other: Operand, { alpha = 1 }: { alpha?: number } = {}): Tensor {
    return math.sub(this, other, alpha);
  }
  /** The elementwise product, broadcast; for two bool tensors, whether both are true. */
  mul(this: Tensor, other: Operand): Tensor {
    return math.mul(this, other);
  }
  /** True division; `rounding` rounds the quotient to whole numbers. */
  div(this: Tensor, other: Operand, { rounding }: { rounding?: "floor" | "trunc" } = {}): Tensor {
    return math.div(this, other, rounding);
  }
  /** The quotient rounded towards minus infinity, broadcast. */
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
  /** x to the power of `exponent`, broadcast. */
  pow(this: Tensor, exponent: Operand): Tensor {
    return math.pow(this, exponent);
  }
  /** The larger of each two elements, broadcast; NaN where either is NaN. */
  maximum(this: Tensor, other: Operand): Tensor {
    return math.binary("maximum", this, other);
  }
  /** The smaller of each two elements, broadcast; NaN where either is NaN. */
  minimum(this: Tensor, other: Operand): Tensor {
    return math.binary("minimum", this, other);
  }
  /** The angle of the point (other, x) in radians, in (-π, π]; broadcast. */
  atan2(this: Tensor, other: Operand): Tensor {
    return math.atan2(this, other);
  }
  /** -x. */
  neg(this: Tensor): Tensor {
    return math.neg(this);
  }
  /** The absolute value. */
  abs(this: Tensor): Tensor {
    return math.unary("abs", this);
  }
  /** -1, 0 or 1 by the sign of each element. */
  sign(this: Tensor): Tensor {
    return math.sign(this);
  }
  /** x². */
  square(this: Tensor): Tensor {
    return math.mul(this, this);
  }
  /** e to the power x; integers become float32. */
  exp(this: Tensor): Tensor {
    return math.floatUnary("exp", this);
  }
  /** exp(x) - 1, exact for small x; integers become float32. */
  expm1(this: Tensor): Tensor {
    return math.expm1(math.asFloat(this));
  }
  /** The natural logarithm: NaN below 0, -Infinity at 0. Integers become float32. */
  log(this: Tensor): Tensor {
    return math.floatUnary("log", this);
  }
  /** The logarithm to base 2; integers become float32. */
  log2(this: Tensor): Tensor {
    const log = this.log();
    return log.mul(math.constantLike(Math.LOG2E, log));
  }
  /** The logarithm to base 10; integers become float32. */
  log10(this: Tensor): Tensor {
    const log = this.log();
    return log.mul(math.constantLike(Math.LOG10E, log));
  }
  /** log(1 + x), exact for small x; integers become float32. */
  log1p(this: Tensor): Tensor {
    return math.log1p(math.asFloat(this));
  }
  /** The square root, NaN below 0; integers become float32. */
  sqrt(this: Tensor): Tensor {
    return math.floatUnary("sqrt", this);
  }
  /** 1 / sqrt(x); integers become float32. */
  rsqrt(this: Tensor): Tensor {
    return this.sqrt().reciprocal();
  }
  /** 1 / x; integers become float32. */
  reciprocal(this: Tensor): Tensor {
    return math.floatUnary("reciprocal", this);
  }
  /** The sine of an angle in radians; integers become float32. */
  sin(this: Tensor): Tensor {
    return math.floatUnary("sin", this);
  }
  /** The cosine of an angle in radians; integers become float32. */
  cos(this: Tensor): Tensor {
    return math.floatUnary("cos", this);
  }
  /** The arc tangent in radians, between -π/2 and π/2; integers become float32. */
  atan(this: Tensor): Tensor {
    return math.floatUnary("atan", this);
  }
  /** The hyperbolic sine; integers become float32. */
  sinh(this: Tensor): Tensor {
    return math.floatUnary("sinh", this);
  }
  /** The hyperbolic cosine; integers become float32. */
  cosh(this: Tensor): Tensor {
    return math.floatUnary("cosh", this);
  }
  /** The hyperbolic tangent; integers become float32. */
  tanh(this: Tensor): Tensor {
    return math.floatUnary("tanh", this);
  }
  /**
   * The error function, 2/√π times the integral of exp(-t²) from 0 to x; integers become float32.
   */
  erf(this: Tensor): Tensor {
    return math.floatUnary("erf", this);
  }
  /** The tangent of an angle in radians; integers become float32. */
  tan(this: Tensor): Tensor {
    return special.tan(this);
  }
  /** The arc sine in radians, NaN outside [-1, 1]; integers become float32. */
  asin(this: Tensor): Tensor {
    return special.asin(this);
  }
  /** The arc cosine in radians, NaN outside [-1, 1]; integers become float32. */
  acos(this: Tensor): Tensor {
    return special.acos(this);
  }
  /** The inverse hyperbolic sine; integers become float32. */
  asinh(this: Tensor): Tensor {
    return special.asinh(this);
  }
  /** The inverse hyperbolic cosine, NaN below 1; integers become float32. */
  acosh(this: Tensor): Tensor {
    return special.acosh(this);
  }
  /** The inverse hyperbolic tangent, NaN outside [-1, 1]; integers become float32. */
  atanh(this: Tensor): Tensor {
    return special.atanh(this);
  }
  /** 2 to the power x; integers become float32. */
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
  /** sqrt(x² + other²) without overflow on the way; broadcast. */
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
  /** 1 - erf(x); integers become float32. */
  erfc(this: Tensor): Tensor {
    const erf = this.erf();
    return math.sub(math.constantLike(1, erf), erf);
  }
  /** 1 / (1 + exp(-x)); integers become float32. */
  sigmoid(this: Tensor): Tensor {
    return math.floatUnary("sigmoid", this);
  }
  /** The larger of x and 0. */
  relu(this: Tensor): Tensor {
    return math.relu(this);
  }
  /** The largest whole number that is not above x. */
  floor(this: Tensor): Tensor {
    return math.rounded("floor", this);
  }
  /** The smallest whole number that is not below x. */
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
  /** x without its fraction: rounded towards zero. */
  trunc(this: Tensor): Tensor {
    return math.trunc(this);
  }
  /** x limited to [min, max], each of which may be left out; they broadcast. */
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
  /** bool: where the elements are equal. Broadcasts, as all comparisons. */
  eq(this: Tensor, other: Operand): Tensor {
    return math.binary("eq", this, other);
  }
  /** bool: where the elements differ. */
  ne(this: Tensor, other: Operand): Tensor {
    return this.eq(other).logicalNot();
  }
  /** bool: where x is less than `other`. */
  lt(this: Tensor, other: Operand): Tensor {
    return math.binary("lt", this, other);
  }
  /** bool: where x is at most `other`. */
  le(this: Tensor, other: Operand): Tensor {
    return math.binary("le", this, other);
  }
  /** bool: where x is greater than `other`. */
  gt(this: Tensor, other: Operand): Tensor {
    return math.binary("gt", this, other);
  }
  /** bool: where x is at least `other`. */
  ge(this: Tensor, other: Operand): Tensor {
    return math.binary("ge", this, other);
  }
  /** bool: where both are true, that is, not zero; broadcast. */
  logicalAnd(this: Tensor, other: Tensor): Tensor {
    return math.logical("and", this, other);
  }
  /** bool: where at least one is true; broadcast. */
  logicalOr(this: Tensor, other: Tensor): Tensor {
    return math.logical("or", this, other);
  }
  /** bool: where exactly one is true; broadcast. */
  logicalXor(this: Tensor, other: Tensor): Tensor {
    return math.logical("xor", this, other);
  }
  /** bool: where x is zero. */
  logicalNot(this: Tensor): Tensor {
    return math.unary("not", math.cast(this, "bool"));
  }
  /** bool: where x is not a number. */
  isnan(this: Tensor): Tensor {
    return math.predicate("isnan", this);
  }
  /** bool: where x is Infinity or -Infinity. */
  isinf(this: Tensor): Tensor {
    return math.predicate("isinf", this);
  }
  /** bool: where x is neither infinite nor NaN. */
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
