import { elementTypeOf } from "../../runtime/onnx/element-types.ts";
import * as F from "../../nn/functional/index.ts";
import { type DType, dtypes, isFloat } from "../../tensor/dtype.ts";
import { where } from "../../tensor/functions/arithmetic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type AttributeKinds, float, int, text } from "../attributes.ts";
import { type Call, operator, type Operator, type Operators } from "../operator.ts";
import { Host, lifted, onHost, type Value } from "../values.ts";
import { computeKnown, knownOperands } from "./known.ts";

/** An operator on one tensor. */
function one(compute: (x: Tensor) => Tensor, onNumbers?: (n: number) => number): Operator {
  return operator({}, (call) => {
    const x = call.value(0);
    const isKnown = x instanceof Host && onNumbers !== undefined;
    return isKnown ? onHost([x], onNumbers, x.dtype, x.shape) : compute(lifted(x));
  });
}

/** An operator on tensors that broadcast, known numbers among them. */
function two(
  compute: (a: Tensor, b: Tensor) => Tensor,
  onNumbers: (a: number, b: number, dtype: DType) => number,
  kinds: AttributeKinds = {},
): Operator {
  return operator(kinds, (call) => pair(call, compute, onNumbers));
}

function pair(
  call: Call,
  compute: (a: Tensor, b: Tensor) => Tensor,
  onNumbers: (a: number, b: number, dtype: DType) => number,
  result?: DType,
): Value {
  const known = knownOperands(call);
  const dtype = known?.[0]?.dtype ?? "int64";
  return known === undefined
    ? compute(call.tensor(0), call.tensor(1))
    : computeKnown(known, (a = 0, b = 0) => onNumbers(a, b, dtype), result ?? dtype);
}

function compared(
  compute: (a: Tensor, b: Tensor) => Tensor,
  onNumbers: (a: number, b: number) => boolean,
): Operator {
  return operator({}, (call) => pair(call, compute, (a, b) => Number(onNumbers(a, b)), "bool"));
}

/** An operator on any number of tensors that broadcast. */
function many(
  compute: (a: Tensor, b: Tensor) => Tensor,
  onNumbers: (a: number, b: number) => number,
): Operator {
  return operator({}, (call) => {
    const known = knownOperands(call);
    if (known !== undefined) {
      return computeKnown(known, (...n) => n.reduce(onNumbers), known[0]?.dtype ?? "int64");
    }
    return call.inputs.map((_, i) => call.tensor(i)).reduce(compute);
  });
}

/** An operator on one tensor with one number. */
function shaped(
  name: string,
  otherwise: number,
  compute: (x: Tensor, alpha: number) => Tensor,
): Operator {
  return operator({ [name]: float(otherwise) }, (call, a) => compute(call.tensor(0), a[name] ?? 0));
}

const divided = (a: Tensor, b: Tensor): Tensor =>
  isFloat(a.dtype) ? a.div(b) : a.div(b, { rounding: "trunc" });

/** Where an operator's condition is a number and not a bool. */
const truth = (x: Tensor): Tensor => (x.dtype === "bool" ? x : x.ne(0));

/** The element type of a number in a file; one that tensors have. */
export function dtypeOf(call: Call, code: number): DType {
  const name = elementTypeOf(code);
  const known = dtypes.find((dtype) => dtype === name);
  return known ?? call.fail(`gives elements of type ${name ?? code}, which tensors do not have`);
}

function castTo(value: Value, dtype: DType): Value {
  if (value instanceof Host) return onHost([value], (n) => n, dtype, value.shape);
  return value.to(dtype);
}

const hardSwish = (x: Tensor): Tensor => x.mul(x.div(6).add(0.5).clamp({ min: 0, max: 1 }));

/** Operators that are done element by element. */
export const elementwise: Operators = {
  Abs: one((x) => x.abs(), Math.abs),
  Acos: one((x) => x.acos()),
  Acosh: one((x) => x.acosh()),
  Asin: one((x) => x.asin()),
  Asinh: one((x) => x.asinh()),
  Atan: one((x) => x.atan()),
  Atanh: one((x) => x.atanh()),
  Ceil: one((x) => x.ceil(), Math.ceil),
  Cos: one((x) => x.cos()),
  Cosh: one((x) => x.cosh()),
  Erf: one((x) => x.erf()),
  Exp: one((x) => x.exp()),
  Floor: one((x) => x.floor(), Math.floor),
  Identity: operator({}, (call) => call.value(0)),
  IsNaN: one((x) => x.isnan()),
  Log: one((x) => x.log()),
  Neg: one(
    (x) => x.neg(),
    (n) => -n,
  ),
  Not: one(
    (x) => x.logicalNot(),
    (n) => (n === 0 ? 1 : 0),
  ),
  Reciprocal: one((x) => x.reciprocal()),
  Relu: one(
    (x) => x.relu(),
    (n) => Math.max(0, n),
  ),
  Round: one((x) => x.round()),
  Sigmoid: one((x) => x.sigmoid()),
  Sign: one((x) => x.sign(), Math.sign),
  Sin: one((x) => x.sin()),
  Sinh: one((x) => x.sinh()),
  Softplus: one((x) => F.softplus(x, { threshold: Infinity })),
  Softsign: one((x) => F.softsign(x)),
  Sqrt: one((x) => x.sqrt(), Math.sqrt),
  Tan: one((x) => x.tan()),
  Tanh: one((x) => x.tanh()),
  Mish: one((x) => F.mish(x)),
  HardSwish: one(hardSwish),

  IsInf: operator({ detect_negative: int(1), detect_positive: int(1) }, (call, a) => {
    const x = call.tensor(0);
    const [low, high] = [a.detect_negative !== 0, a.detect_positive !== 0];
    if (low && high) return x.isinf();
    return x.isinf().logicalAnd(low ? x.lt(0) : x.gt(high ? 0 : Infinity));
  }),
  Gelu: operator({ approximate: text("none") }, (call, { approximate }) =>
    F.gelu(call.tensor(0), { approximate: approximate === "tanh" ? "tanh" : "none" }),
  ),
  Elu: shaped("alpha", 1, (x, alpha) => F.elu(x, { alpha })),
  Celu: shaped("alpha", 1, (x, alpha) => F.celu(x, { alpha })),
  Swish: shaped("alpha", 1, (x, alpha) => x.mul(x.mul(alpha).sigmoid())),
  LeakyRelu: shaped("alpha", 0.01, (x, alpha) => where(x.lt(0), x.mul(alpha), x)),
  ThresholdedRelu: shaped("alpha", 1, (x, alpha) => where(x.gt(alpha), x, x.mul(0))),
  PRelu: operator({}, (call) => {
    const [x, slope] = [call.tensor(0), call.tensor(1)];
    return where(x.lt(0), x.mul(slope), x);
  }),
  Selu: operator({ alpha: float(1.6732632), gamma: float(1.050701) }, (call, { alpha, gamma }) =>
    F.elu(call.tensor(0), { alpha }).mul(gamma),
  ),
  HardSigmoid: operator({ alpha: float(0.2), beta: float(0.5) }, (call, { alpha, beta }) =>
    call.tensor(0).mul(alpha).add(beta).clamp({ min: 0, max: 1 }),
  ),
  Shrink: operator({ bias: float(0), lambd: float(0.5) }, (call, { bias, lambd }) => {
    const x = call.tensor(0);
    const high = where(x.gt(lambd), x.sub(bias), x.mul(0));
    return where(x.lt(-lambd), x.add(bias), high);
  }),
  Clip: operator({}, (call) => {
    const x = call.tensor(0);
    const [min, max] = [call.optional(1), call.optional(2)];
    return x.clamp({
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
    });
  }),
  Dropout: operator({ seed: int(0) }, (call) => {
    const x = call.value(0);
    const isTraining = (call.numbers(2, "whether it is in training") ?? [0])[0] !== 0;
    if (isTraining) {
      return call.fail("drops numbers at random, as in training; export in evaluation mode");
    }
    return call.outputs > 1 ? [x, lifted(x).eq(lifted(x))] : x;
  }),
  Cast: operator({ to: int(1), saturate: int(1), round_mode: text("up") }, (call, { to }) =>
    castTo(call.value(0), dtypeOf(call, to)),
  ),
  CastLike: operator({ saturate: int(1), round_mode: text("up") }, (call) =>
    castTo(call.value(0), call.value(1).dtype),
  ),

  Add: two(
    (a, b) => a.add(b),
    (a, b) => a + b,
  ),
  Sub: two(
    (a, b) => a.sub(b),
    (a, b) => a - b,
  ),
  Mul: two(
    (a, b) => a.mul(b),
    (a, b) => a * b,
  ),
  Div: two(divided, (a, b, dtype) => (isFloat(dtype) ? a / b : Math.trunc(a / b))),
  Pow: two(
    (a, b) => a.pow(b.to(isFloat(b.dtype) && isFloat(a.dtype) ? a.dtype : b.dtype)).to(a.dtype),
    (a, b) => a ** b,
  ),
  Mod: operator({ fmod: int(0) }, (call, { fmod }) =>
    pair(
      call,
      (a, b) => (fmod === 0 ? a.remainder(b) : a.fmod(b)),
      (a, b) => (fmod === 0 ? ((a % b) + b) % b : a % b),
    ),
  ),
  And: two(
    (a, b) => a.logicalAnd(b),
    (a, b) => a & b,
  ),
  Or: two(
    (a, b) => a.logicalOr(b),
    (a, b) => a | b,
  ),
  Xor: two(
    (a, b) => a.logicalXor(b),
    (a, b) => a ^ b,
  ),
  Equal: compared(
    (a, b) => (a.dtype === "bool" ? a.logicalXor(b).logicalNot() : a.eq(b)),
    (a, b) => a === b,
  ),
  Less: compared(
    (a, b) => a.lt(b),
    (a, b) => a < b,
  ),
  LessOrEqual: compared(
    (a, b) => a.le(b),
    (a, b) => a <= b,
  ),
  Greater: compared(
    (a, b) => a.gt(b),
    (a, b) => a > b,
  ),
  GreaterOrEqual: compared(
    (a, b) => a.ge(b),
    (a, b) => a >= b,
  ),
  Max: many(
    (a, b) => a.maximum(b),
    (a, b) => Math.max(a, b),
  ),
  Min: many(
    (a, b) => a.minimum(b),
    (a, b) => Math.min(a, b),
  ),
  Sum: many(
    (a, b) => a.add(b),
    (a, b) => a + b,
  ),
  Mean: operator({}, (call) => {
    const tensors = call.inputs.map((_, i) => call.tensor(i));
    return tensors.reduce((a, b) => a.add(b)).div(tensors.length);
  }),
  Where: operator({}, (call) => {
    const known = knownOperands(call);
    const dtype = call.value(1).dtype;
    if (known !== undefined) {
      return computeKnown(known, (c, a = 0, b = 0) => (c === 0 ? b : a), dtype);
    }
    return where(truth(call.tensor(0)), call.tensor(1), call.tensor(2));
  }),
};
