import { advice, isTensor } from "../require-tensors.ts";
import { describeValue } from "../../base/describe-value.ts";
import { apply, leaf, scalar } from "../ops/apply.ts";
import { isFloat, requireFit, resultType, type DType } from "../dtype.ts";
import { fail } from "../errors.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { type BinaryOp, NONE, type UnaryOp } from "../ops/ops.ts";
import type { Tensor } from "../tensor.ts";

/** A tensor, or a number that takes part as a 0-d tensor. */
export type Operand = Tensor | number;

/** `x` in another element type; itself if it has that type. */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  // bfloat16 is the upper half of float32, and is converted to and from nothing else.
  const pair = [x.dtype, dtype];
  const far = pair.includes("bfloat16") && !pair.includes("float32");
  return apply("cast", [far ? cast(x, "float32") : x], { dtype });
}

/** The same values, cut off from the gradient. */
export function detach(x: Tensor): Tensor {
  return x.values === undefined ? unary("detach", x) : leaf(x.values, x.shape, x.dtype);
}

/** A 0-d tensor baked into the program: for constants of formulas, not for data. */
export function constant(value: number, dtype: DType = "float32"): Tensor {
  if (dtype === "bfloat16") return cast(constant(value), dtype);
  return apply("constant", [], { value, dtype });
}

/** A baked-in 0-d tensor of another tensor's dtype. */
export function constantLike(value: number, x: Tensor): Tensor {
  return constant(value, x.dtype);
}

export function unary(op: UnaryOp, x: Tensor): Tensor {
  return apply(op, [x], NONE);
}

/** An elementwise function that takes integers as float32, as torch's do. */
export function floatUnary(op: UnaryOp, x: Tensor): Tensor {
  return apply(op, [asFloat(x)], NONE);
}

/** Integers and bools as float32; floats as they are. */
export function asFloat(x: Tensor): Tensor {
  return isFloat(x.dtype) ? x : cast(x, "float32");
}

/** The dtype that a plain number takes beside a tensor: only a fraction lifts integers to floats. */
function scalarType(value: number, dtype: DType): DType {
  if (isFloat(dtype)) return dtype;
  if (!Number.isInteger(value)) return "float32";
  return dtype === "bool" ? "int64" : dtype;
}

function toTensor(op: string, value: Operand, other: DType): Tensor {
  if (typeof value === "number") {
    const dtype = scalarType(value, other);
    requireFit(op, [value], dtype);
    return scalar(value, dtype);
  }
  if (!isTensor(value)) {
    fail(op, `expected a Tensor or a number, got ${describeValue(value)}${advice(value)}`);
  }
  return value;
}

/** Both operands as tensors of one dtype. */
export function promoted(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  if (typeof a === "number" && typeof b === "number") {
    const dtype = Number.isInteger(a) && Number.isInteger(b) ? "int64" : "float32";
    return [scalar(a, dtype), scalar(b, dtype)];
  }
  const x = toTensor(op, a, typeof b === "number" ? "float32" : toTensor(op, b, "float32").dtype);
  const y = toTensor(op, b, x.dtype);
  if (x.dtype === y.dtype) return [x, y];
  const dtype = resultType([x, y]);
  return [cast(x, dtype), cast(y, dtype)];
}

export function binary(op: BinaryOp, a: Operand, b: Operand): Tensor {
  return apply(op, promoted(op, a, b), NONE);
}

/** a + alpha * b; of bools, their disjunction. */
export function add(a: Operand, b: Operand, alpha = 1): Tensor {
  const [x, y] = promoted("add", a, alpha === 1 ? b : mul(b, alpha));
  return x.dtype === "bool" ? logical("or", x, y) : apply("add", [x, y], NONE);
}

/** a - alpha * b. */
export function sub(a: Operand, b: Operand, alpha = 1): Tensor {
  const [x, y] = promoted("sub", a, alpha === 1 ? b : mul(b, alpha));
  if (x.dtype === "bool") {
    fail("sub", "bool tensors have no difference; use logicalXor(), or to() a number type first");
  }
  return apply("sub", [x, y], NONE);
}

/** a * b; of bools, their conjunction. */
export function mul(a: Operand, b: Operand): Tensor {
  const [x, y] = promoted("mul", a, b);
  return x.dtype === "bool" ? logical("and", x, y) : apply("mul", [x, y], NONE);
}

/** a / b: true division (integers become float32), or rounded to whole numbers. */
export function div(a: Operand, b: Operand, rounding?: "floor" | "trunc"): Tensor {
  requireOneOf("div", "rounding", rounding, [undefined, "floor", "trunc"]);
  const [x, y] = promoted("div", a, b);
  if (isFloat(x.dtype)) {
    const quotient = apply("div", [x, y], NONE);
    if (rounding === undefined) return quotient;
    return rounding === "floor" ? floorQuotient(x, y, quotient) : trunc(quotient);
  }
  if (rounding === undefined) return div(cast(x, "float32"), cast(y, "float32"));
  if (rounding === "trunc") return apply("div", [x, y], NONE);
  return apply("div", [sub(x, remainder(x, y)), y], NONE);
}

/** From the exact remainder: x / y is rounded itself, and 3 / 0.1 would come out as 30, not 29. */
function floorQuotient(x: Tensor, y: Tensor, quotient: Tensor): Tensor {
  const rest = apply("fmod", [x, y], NONE);
  const towardsZero = div(sub(x, rest), y);
  const whole = where(beyondZero(rest, y), sub(towardsZero, constantLike(1, x)), towardsZero);
  const infinite = apply("eq", [y, constantLike(0, y)], NONE);
  return where(infinite, unary("floor", quotient), unary("round", whole));
}

/** Where a remainder is on the other side of zero than the divisor. */
function beyondZero(rest: Tensor, divisor: Tensor): Tensor {
  const isNegative = (t: Tensor): Tensor => apply("lt", [t, constantLike(0, t)], NONE);
  const differ = logical("xor", isNegative(rest), isNegative(divisor));
  return logical(
    "and",
    differ,
    apply("not", [apply("eq", [rest, constantLike(0, rest)], NONE)], NONE),
  );
}

/** To whole numbers; integers are whole already. */
export function rounded(op: "floor" | "ceil" | "round", x: Tensor): Tensor {
  return isFloat(x.dtype) ? unary(op, x) : x;
}

export function neg(x: Tensor): Tensor {
  if (x.dtype === "bool") fail("neg", "bool tensors have no negative; use logicalNot()");
  return unary("neg", x);
}

/** -1, 0 or 1; bools are their own sign. */
export function sign(x: Tensor): Tensor {
  return x.dtype === "bool" ? x : unary("sign", x);
}

/** max(x, 0). */
export function relu(x: Tensor): Tensor {
  if (x.dtype === "bool") fail("relu", "expected numbers, got bool");
  return isFloat(x.dtype) ? unary("relu", x) : apply("maximum", [x, constantLike(0, x)], NONE);
}

/** (1 - weight) * a + weight * b. */
export function lerp(a: Tensor, b: Tensor, weight: Operand): Tensor {
  return add(a, mul(weight, sub(b, a)));
}

/** Towards zero. */
export function trunc(x: Tensor): Tensor {
  if (!isFloat(x.dtype)) return x;
  return mul(unary("sign", x), unary("floor", unary("abs", x)));
}

/** Remainder with the sign of the divisor, as Python's `%`. */
export function remainder(a: Operand, b: Operand): Tensor {
  const [x, y] = promoted("remainder", a, b);
  if (!isFloat(x.dtype)) return apply("remainder", [x, y], NONE);
  const rest = apply("fmod", [x, y], NONE);
  return where(beyondZero(rest, y), add(rest, y), rest);
}

/** a to the power b; common exponents become products and roots, which are exact and fast. */
export function pow(a: Operand, b: Operand): Tensor {
  if (typeof a !== "number" && typeof b === "number" && isFloat(a.dtype)) {
    if (b === 1) return a;
    if (b === 2) return mul(a, a);
    if (b === 3) return mul(mul(a, a), a);
    if (b === 0.5) return unary("sqrt", a);
    if (b === -1) return unary("reciprocal", a);
    if (b === -0.5) return unary("reciprocal", unary("sqrt", a));
  }
  if (typeof b === "number" && b < 0 && typeof a !== "number" && !isFloat(a.dtype)) {
    if (Number.isInteger(b)) {
      fail("pow", `integers to the power ${b} are not whole; use to("float32") first`);
    }
  }
  return binary("pow", a, b);
}

export function logical(op: "and" | "or" | "xor", a: Tensor, b: Tensor): Tensor {
  return apply(op, [cast(a, "bool"), cast(b, "bool")], NONE);
}

/** Elements of `a` where the condition holds, of `b` elsewhere. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return apply("where", [condition, ...promoted("where", a, b)], NONE);
}

/** Angle of the point (x, y), in (-pi, pi]. */
export function atan2(y: Operand, x: Operand): Tensor {
  const [a, b] = promoted("atan2", y, x).map(asFloat) as [Tensor, Tensor];
  const [below, left] = [signBit(a), signBit(b)];
  const up = where(below, unary("neg", a), a);
  const along = where(left, unary("neg", b), b);
  // The angle to the nearer axis: its tangent is 1 at most, so that nothing overflows.
  const steep = apply("gt", [up, along], NONE);
  const tangent = ratio(where(steep, along, up), where(steep, up, along));
  const near = unary("atan", tangent);
  const pi = constantLike(Math.PI, a);
  const right = where(steep, sub(constantLike(Math.PI / 2, a), near), near);
  const turned = where(left, sub(pi, right), right);
  return where(below, unary("neg", turned), turned);
}

/** Whether a number is negative, or a negative zero. */
function signBit(x: Tensor): Tensor {
  const zero = constantLike(0, x);
  // The sign of a zero shows in its reciprocal.
  const signed = where(apply("eq", [x, zero], NONE), unary("reciprocal", x), x);
  return apply("lt", [signed, zero], NONE);
}

/** small / large for 0 <= small <= large; 0 for two zeros, 1 for two infinities. */
function ratio(small: Tensor, large: Tensor): Tensor {
  const one = constantLike(1, small);
  const nothing = apply("eq", [large, constantLike(0, large)], NONE);
  const quotient = div(small, where(nothing, one, large));
  const both = logical("and", apply("isinf", [small], NONE), apply("eq", [small, large], NONE));
  return where(both, one, quotient);
}

/** Values limited to [min, max]. A value on a bound keeps its own gradient. */
export function clamp(x: Tensor, min?: Operand, max?: Operand): Tensor {
  if (min === undefined && max === undefined) {
    fail("clamp", "give min, max or both, as in clamp({ min: 0, max: 1 })");
  }
  const raised = min === undefined ? x : bounded(x, min, "lt");
  return max === undefined ? raised : bounded(raised, max, "gt");
}

function bounded(x: Tensor, bound: Operand, beyond: "lt" | "gt"): Tensor {
  const [y, limit] = promoted("clamp", x, bound);
  return where(apply(beyond, [y, limit], NONE), limit, y);
}

/** log(1 + x), exact for small x. */
export function log1p(x: Tensor): Tensor {
  const one = constant(1, x.dtype);
  const u = add(x, one);
  const lost = sub(u, one);
  // Kahan: log(u) * x / (u - 1) cancels the rounding of 1 + x.
  const corrected = mul(unary("log", u), div(x, where(binary("eq", lost, 0), one, lost)));
  const exact = where(binary("eq", unary("detach", lost), 0), x, corrected);
  return where(unary("detach", apply("isinf", [u], NONE)), u, exact);
}

/** exp(x) - 1, exact for small x. */
export function expm1(x: Tensor): Tensor {
  const half = constant(0.5, x.dtype);
  const near = apply("le", [unary("abs", x), half], NONE);
  const t = unary("tanh", mul(where(near, x, constant(0, x.dtype)), half));
  const one = constant(1, x.dtype);
  const exact = div(mul(t, constant(2, x.dtype)), sub(one, t));
  return where(near, exact, sub(unary("exp", x), one));
}

export function predicate(op: "isnan" | "isinf", x: Tensor): Tensor {
  return apply(op, [asFloat(x)], NONE);
}
