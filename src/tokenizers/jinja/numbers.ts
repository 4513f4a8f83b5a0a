import type { BinaryOperator } from "./nodes.ts";
import { refuse, TemplateError } from "./template-error.ts";

/** Whole numbers of more bits are refused; Python prints at most 4300 digits. */
const MAX_BITS = 1 << 16;

function bits(value: bigint): number {
  return value.toString(16).length * 4;
}

/** @throws TemplateError if a whole number is larger than any template needs. */
export function checkSize(value: bigint): bigint {
  if (bits(value) > MAX_BITS) refuse(`a whole number of more than ${MAX_BITS} bits`);
  return value;
}

/** Python's `float(value)` of a whole number. */
export function toFloat(value: bigint): number {
  const float = Number(value);
  if (Number.isFinite(float)) return float;
  throw new TemplateError("int too large to convert to float");
}

function zeroDivision(what: string): never {
  throw new TemplateError(what);
}

/** Whole numbers divided, rounded once. */
function divideInts(a: bigint, b: bigint): number {
  if (b === 0n) zeroDivision("division by zero");
  const [x, y] = [Number(a), Number(b)];
  if (Number.isSafeInteger(x) && Number.isSafeInteger(y)) return x / y;
  const shift = BigInt(Math.max(0, bits(b) - bits(a) + 70));
  const over = (a < 0n ? -a : a) << shift;
  const under = b < 0n ? -b : b;
  // A last bit for what is left keeps the rounding of the long quotient right.
  const quotient = ((over / under) << 1n) | (over % under === 0n ? 0n : 1n);
  const result = Number(quotient) / 2 ** (Number(shift) + 1);
  if (!Number.isFinite(result)) {
    throw new TemplateError("integer division result too large for a float");
  }
  return a < 0n === b < 0n ? result : -result;
}

export function floorDivideInts(a: bigint, b: bigint): bigint {
  if (b === 0n) zeroDivision("integer division or modulo by zero");
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

export function moduloInts(a: bigint, b: bigint): bigint {
  return a - floorDivideInts(a, b) * b;
}

function powerOfInts(a: bigint, b: bigint): bigint | number {
  if (b < 0n) return powerOfFloats(toFloat(a), toFloat(b));
  const size = a === 0n || a === 1n || a === -1n ? 1 : bits(a) * Number(b);
  if (size > MAX_BITS) refuse(`a whole number of more than ${MAX_BITS} bits`);
  return a ** b;
}

function moduloFloats(a: number, b: number): number {
  if (b === 0) zeroDivision("float modulo by zero");
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return rest < 0 === b < 0 ? rest : rest + b;
}

function floorDivideFloats(a: number, b: number): number {
  if (b === 0) zeroDivision("float floor division by zero");
  const exact = (a - moduloFloats(a, b)) / b;
  if (exact === 0) return a < 0 === b < 0 ? 0 : -0;
  const floor = Math.floor(exact);
  return exact - floor > 0.5 ? floor + 1 : floor;
}

function powerOfFloats(a: number, b: number): number {
  if (a === 1 || b === 0) return 1;
  if (a === 0 && b < 0) zeroDivision("0.0 cannot be raised to a negative power");
  if (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) return 1;
  if (a < 0 && Number.isFinite(a) && Number.isFinite(b) && !Number.isInteger(b)) {
    refuse("a complex number");
  }
  const result = a ** b;
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) {
    throw new TemplateError("(34, 'Numerical result out of range')");
  }
  return result;
}

function divideFloats(a: number, b: number): number {
  if (b === 0) zeroDivision("float division by zero");
  return a / b;
}

interface Rule {
  readonly ints: (a: bigint, b: bigint) => bigint | number;
  readonly floats: (a: number, b: number) => number;
}

const RULES: { readonly [K in BinaryOperator]: Rule } = {
  "+": { ints: (a, b) => a + b, floats: (a, b) => a + b },
  "-": { ints: (a, b) => a - b, floats: (a, b) => a - b },
  "*": { ints: (a, b) => a * b, floats: (a, b) => a * b },
  "/": { ints: divideInts, floats: divideFloats },
  "//": { ints: floorDivideInts, floats: floorDivideFloats },
  "%": { ints: moduloInts, floats: moduloFloats },
  "**": { ints: powerOfInts, floats: powerOfFloats },
};

/** Two numbers put together as Python does. */
export function calculate(
  operator: BinaryOperator,
  a: bigint | number,
  b: bigint | number,
): bigint | number {
  const rule = RULES[operator];
  if (typeof a === "number" || typeof b === "number") {
    const [x, y] = [a, b].map((one) => (typeof one === "bigint" ? toFloat(one) : one));
    return rule.floats(x ?? 0, y ?? 0);
  }
  const result = rule.ints(a, b);
  return typeof result === "bigint" ? checkSize(result) : result;
}
