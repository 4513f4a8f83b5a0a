import type { OpName } from "tsvene";
import { TensorError } from "tsvene";
import { type Call, type Interpret, operand, type Rows } from "./call.ts";
import {
  broadcast,
  build,
  getBroadcast,
  type HostArray,
  make,
  type Num,
  plus,
  roundToEven,
  times,
} from "./host-array.ts";

type Unary =
  | "neg" | "abs" | "sign" | "exp" | "log" | "sqrt" | "reciprocal" | "sin" | "cos" | "atan"
  | "sinh" | "cosh" | "tanh" | "erf" | "sigmoid" | "relu" | "gelu" | "floor" | "ceil" | "round"
  | "not" | "isnan" | "isinf" | "cast" | "detach"; // prettier-ignore

type Broadcasting =
  | "add" | "sub" | "mul" | "div" | "pow" | "maximum" | "minimum" | "remainder" | "fmod"
  | "eq" | "lt" | "le" | "gt" | "ge" | "and" | "or" | "xor" | "where"; // prettier-ignore

const same = <T>(x: T): T => x;

function mapped({ inputs: [x], dtype }: Call<unknown>, f: (value: Num) => Num): HostArray {
  if (x === undefined) throw new Error("internal: no operand");
  return make(x.shape, dtype, x.values.map(f));
}

/** Each element by itself, as a number or as an integer. */
const each =
  (ofNumber: (x: number) => number, ofInteger?: (x: bigint) => bigint): Interpret<unknown> =>
  (call) =>
    mapped(call, (x) =>
      typeof x === "bigint" && ofInteger !== undefined ? ofInteger(x) : ofNumber(Number(x)),
    );

const truth = (f: (x: number) => boolean): Interpret<unknown> => each((x) => Number(f(x)));

/** Both elements at each place of what two operands are broadcast to. */
const pairs =
  (f: (a: Num, b: Num) => Num): Interpret<unknown> =>
  (call) => {
    const [a, b] = [operand(call, 0), operand(call, 1)];
    return build(broadcast(a.shape, b.shape), call.dtype, (i) =>
      f(getBroadcast(a, i), getBroadcast(b, i)),
    );
  };

/** Two numbers, or two integers. */
const arithmetic = (
  ofNumbers: (a: number, b: number) => number,
  ofIntegers: (a: bigint, b: bigint) => bigint,
): Interpret<unknown> =>
  pairs((a, b) =>
    typeof a === "bigint" && typeof b === "bigint"
      ? ofIntegers(a, b)
      : ofNumbers(Number(a), Number(b)),
  );

const comparison = (f: (a: Num, b: Num) => boolean): Interpret<unknown> =>
  pairs((a, b) => Number(f(a, b)));

function divisor(b: bigint): bigint {
  if (b !== 0n) return b;
  throw new TensorError(
    'div, floorDivide or remainder: integers are divided by zero; use to("float32") first',
  );
}

/** A negative power is less than 1, and cut towards zero. */
function integerPower(a: bigint, b: bigint): bigint {
  if (b >= 0n) return a ** b;
  return BigInt(Math.trunc(Number(a) ** Number(b)));
}

/** 2/sqrt(pi) times the integral of exp(-t²) from 0 to x: a series, then the tail's fraction. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x) || size > 6) return Math.sign(x);
  if (size > 2.5) return Math.sign(x) * (1 - erfc(size));
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function erfc(x: number): number {
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));
const fastGelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const largest = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smallest = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const absolute = (x: bigint): bigint => (x < 0n ? -x : x);
const signOf = (x: bigint): bigint => BigInt(Number(x > 0n) - Number(x < 0n));

export const unary: Rows<Unary> = {
  neg: each(
    (x) => -x,
    (x) => -x,
  ),
  abs: each(Math.abs, absolute),
  sign: each(Math.sign, signOf),
  exp: each(Math.exp),
  log: each(Math.log),
  sqrt: each(Math.sqrt),
  reciprocal: each((x) => 1 / x),
  sin: each(Math.sin),
  cos: each(Math.cos),
  atan: each(Math.atan),
  sinh: each(Math.sinh),
  cosh: each(Math.cosh),
  tanh: each(Math.tanh),
  erf: each(erf),
  sigmoid: each((x) => 1 / (1 + Math.exp(-x))),
  relu: each(
    (x) => Math.max(x, 0),
    (x) => largest(x, 0n),
  ),
  gelu: (call) => each(call.attributes.approximate === "tanh" ? fastGelu : gelu)(call),
  floor: each(Math.floor, same),
  ceil: each(Math.ceil, same),
  round: each(roundToEven, same),
  not: truth((x) => x === 0),
  isnan: truth(Number.isNaN),
  isinf: truth((x) => Math.abs(x) === Infinity),
  cast: (call) => mapped(call, same),
  detach: neverRun("detach"),
};

export const broadcasting: Rows<Broadcasting> = {
  add: pairs(plus),
  sub: arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  mul: pairs(times),
  div: arithmetic(
    (a, b) => a / b,
    (a, b) => a / divisor(b),
  ),
  pow: arithmetic((a, b) => a ** b, integerPower),
  maximum: arithmetic(Math.max, largest),
  minimum: arithmetic(Math.min, smallest),
  remainder: arithmetic(
    (a, b) => ((a % b) + b) % b,
    (a, b) => ((a % divisor(b)) + b) % b,
  ),
  fmod: arithmetic(
    (a, b) => a % b,
    (a, b) => a % divisor(b),
  ),
  eq: comparison((a, b) => a === b),
  lt: comparison((a, b) => a < b),
  le: comparison((a, b) => a <= b),
  gt: comparison((a, b) => a > b),
  ge: comparison((a, b) => a >= b),
  and: comparison((a, b) => a === 1 && b === 1),
  or: comparison((a, b) => a === 1 || b === 1),
  xor: comparison((a, b) => a !== b),
  where: (call) => {
    const [c, a, b] = [operand(call, 0), operand(call, 1), operand(call, 2)];
    const shape = broadcast(c.shape, broadcast(a.shape, b.shape));
    return build(shape, call.dtype, (i) => getBroadcast(getBroadcast(c, i) === 1 ? a : b, i));
  },
};

/** Operations that are resolved before a program is made. */
export function neverRun(op: OpName): Interpret<unknown> {
  return () => {
    throw new Error(`internal: ${op} is part of no program`);
  };
}
