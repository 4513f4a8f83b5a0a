import type { NumberFilterName } from "./names.ts";
import { asNumber, asText } from "./compare.ts";
import { indexArgument } from "./convert-arguments.ts";
import { type Filter, filter } from "./filter-row.ts";
import { roundFloat, roundedQuotient } from "./float-text.ts";
import { calculate, toFloat } from "./numbers.ts";
import { refuse, TemplateError } from "./template-error.ts";
import { stripEnd, stripStart } from "./characters.ts";
import { asInt, isUndefined, type Run, typeName, type Value } from "./values.ts";

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
const PREFIXES: Readonly<Record<number, RegExp>> = { 2: /^0b_?/i, 8: /^0o_?/i, 16: /^0x_?/i };
/** Python reads no longer whole numbers. */
const MAX_DIGITS = 4300;

/** Python's `int(text, base)`; undefined where it raises ValueError. */
function parseInteger(text: string, base: number): bigint | undefined {
  if (base === 0) refuse("the base 0 of the filter 'int'");
  if (base < 2 || base > 36) return undefined;
  const trimmed = stripEnd(stripStart(text)).toLowerCase();
  if (/[^ -~]/.test(trimmed)) {
    return /\p{Nd}/u.test(trimmed) ? refuse("a digit that is not ASCII") : undefined;
  }
  const sign = /^[-+]/.test(trimmed) ? trimmed.slice(0, 1) : "";
  const prefix = PREFIXES[base];
  const unsigned = trimmed.slice(sign.length);
  const digits = prefix === undefined ? unsigned : unsigned.replace(prefix, "");
  if (!/^[\da-z]+(?:_[\da-z]+)*$/.test(digits)) return undefined;
  const values = digits
    .replaceAll("_", "")
    .split("")
    .map((digit) => DIGITS.indexOf(digit));
  if (values.some((value) => value >= base)) return undefined;
  if (values.length > MAX_DIGITS) {
    return base === 10 ? undefined : refuse("a number of that many digits");
  }
  const magnitude = values.reduce((sum, value) => sum * BigInt(base) + BigInt(value), 0n);
  return sign === "-" ? -magnitude : magnitude;
}

const FLOAT =
  /^[-+]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+(?:_\d+)*)?|inf(?:inity)?|nan)$/i;

/** Python's `float(text)`; undefined where it raises ValueError. */
function parseFloat(text: string): number | undefined {
  const trimmed = stripEnd(stripStart(text));
  if (!FLOAT.test(trimmed)) {
    return /\p{Nd}/u.test(trimmed) && /[^ -~]/.test(trimmed)
      ? refuse("a digit that is not ASCII")
      : undefined;
  }
  const word = trimmed.toLowerCase().replace(/^[-+]/, "");
  if (word === "nan") return Number.NaN;
  if (!word.startsWith("inf")) return Number(trimmed.replaceAll("_", ""));
  return trimmed.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** A value as float; undefined where Python raises TypeError or ValueError. */
function floatOf(value: Value): number | undefined {
  if (isUndefined(value)) return value.fail();
  const number = asNumber(value);
  if (number !== undefined) return typeof number === "bigint" ? toFloat(number) : number;
  const text = asText(value);
  return text === undefined ? undefined : parseFloat(text);
}

function intOf(value: Value, base: number): bigint | undefined {
  const text = asText(value);
  const int = text === undefined ? asInt(value) : parseInteger(text, base);
  if (int !== undefined) return int;
  if (typeof value === "number" && !Number.isFinite(value)) {
    if (Number.isNaN(value)) return undefined;
    throw new TemplateError("cannot convert float infinity to integer");
  }
  const float = floatOf(value);
  return float === undefined || !Number.isFinite(float) ? undefined : BigInt(Math.trunc(float));
}

/** Rounds a whole number at a place before its last digit. */
function roundInt(value: bigint, decimals: number): bigint {
  if (decimals >= 0) return value;
  if (decimals < -MAX_DIGITS) return 0n;
  const unit = 10n ** BigInt(-decimals);
  return roundedQuotient(value, unit) * unit;
}

const METHODS = { ceil: Math.ceil, floor: Math.floor } as const;

function round(value: Value, [precision, method]: readonly Value[]): Value {
  const name = asText(method ?? null) ?? "";
  if (name !== "common" && name !== "ceil" && name !== "floor") {
    throw new TemplateError("method must be common, ceil or floor");
  }
  const number = asNumber(value);
  if (number === undefined) {
    if (isUndefined(value)) return value.fail();
    throw new TemplateError(`type ${typeName(value)} doesn't define __round__ method`);
  }
  const decimals = indexArgument(precision ?? null, "round");
  if (name === "common") {
    return typeof number === "bigint" ? roundInt(number, decimals) : roundFloat(number, decimals);
  }
  const power = calculate("**", 10n, BigInt(decimals));
  const scaled = calculate("*", number, power);
  if (typeof scaled === "number" && !Number.isFinite(scaled)) {
    throw new TemplateError("cannot convert a float that is not finite to integer");
  }
  const whole = typeof scaled === "bigint" ? scaled : BigInt(METHODS[name](scaled));
  return calculate("/", whole, power);
}

function absolute(_run: Run, value: Value): Value {
  const number = asNumber(value);
  if (number === undefined) {
    throw new TemplateError(`bad operand type for abs(): '${typeName(value)}'`);
  }
  if (typeof number === "number") return Math.abs(number);
  return number < 0n ? -number : number;
}

export const NUMBER_FILTERS: { readonly [K in NumberFilterName]: Filter } = {
  abs: filter("abs", [], absolute),
  float: filter(
    "float",
    [["default", 0]],
    (_run, value, fallback = null) => floatOf(value) ?? fallback,
  ),
  int: filter(
    "int",
    [
      ["default", 0n],
      ["base", 10n],
    ],
    (_run, value, fallback = null, base = null) =>
      intOf(value, indexArgument(base, "int")) ?? fallback,
  ),
  round: filter(
    "round",
    [
      ["precision", 0n],
      ["method", "common"],
    ],
    (_run, value, ...given) => round(value, given),
  ),
};
