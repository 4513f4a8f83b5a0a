import { textLength, textSlice } from "./characters.ts";
import {
  exponentialText,
  fixedText,
  floatText,
  generalText,
  isNegative,
  withoutZeros,
} from "./float-text.ts";
import { toFloat } from "./numbers.ts";
import { intText, print } from "./print.ts";
import { refuse, TemplateError } from "./template-error.ts";
import { asInt, isMarkup, type Run, typeName, type Value } from "./values.ts";

/** Widths and precisions beyond are refused before anything is made. */
const MAX_WIDTH = 100_000;
const MAX_PRECISION = 1000;

/** How a number is aligned and signed, in `format` and `%` alike. */
export interface Layout {
  readonly fill: string;
  /** `<`, `>`, `^`, or `=` for filling between a sign and the digits. */
  readonly align: string;
  /** What a positive number begins with. */
  readonly plus: string;
  readonly width: number;
}

/** @throws TemplateError for a width or precision that no text has. */
export function checkedWidth(text: string | undefined, max: number = MAX_WIDTH): number {
  const width = Number(text ?? 0);
  if (width > max) refuse(`a text of ${text} characters by a format`);
  return width;
}

export function checkedPrecision(text: string | undefined): number | undefined {
  return text === undefined ? undefined : checkedWidth(text, MAX_PRECISION);
}

/** A text with fill characters around it. */
export function padded(run: Run, text: string, { fill, align, width }: Layout): string {
  const missing = Math.max(0, width - textLength(text));
  run.budget.spendText(text.length + missing);
  const before = { "<": 0, "^": Math.floor(missing / 2) }[align] ?? missing;
  return fill.repeat(before) + text + fill.repeat(missing - before);
}

/** A number's sign, prefix and digits with fill characters around or between. */
export function paddedNumber(
  run: Run,
  parts: { readonly negative: boolean; readonly prefix: string; readonly digits: string },
  layout: Layout,
): string {
  const start = (parts.negative ? "-" : layout.plus) + parts.prefix;
  if (layout.align !== "=") return padded(run, start + parts.digits, layout);
  const width = layout.width - start.length;
  return start + padded(run, parts.digits, { ...layout, align: ">", width });
}

/** The digits of a float's absolute value in one of the forms e, f, g. */
export function floatDigits(
  value: number,
  type: string,
  precision: number,
  isAlternate: boolean,
): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return "inf";
  if (isAlternate && precision === 0) refuse("'#' in a float's format");
  if (type === "f") return fixedText(value, precision);
  return type === "e"
    ? exponentialText(value, precision)
    : generalText(value, precision, isAlternate);
}

const BASES: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16, d: 10 };

/** The digits of a whole number's absolute value in one of the forms b, o, x, d. */
export function intDigits(value: bigint, type: string): string {
  const magnitude = value < 0n ? -value : value;
  return type === "d" ? intText(magnitude) : magnitude.toString(BASES[type]);
}

function grouped(digits: string, separator: string, size: number): string {
  const [whole = "", fraction] = digits.split(".");
  const groups = whole.replaceAll(new RegExp(`\\B(?=(?:[\\da-f]{${size}})+$)`, "gi"), separator);
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

const SPEC = /^(?:([^])?([<>=^]))?([-+ ]?)(z?)(#?)(0?)([0-9]*)([,_]?)(?:\.([0-9]+))?([a-zA-Z%]?)$/u;

function parseSpec(spec: string): {
  layout: Layout;
  isAligned: boolean;
  isAlternate: boolean;
  separator: string;
  precision: number | undefined;
  type: string;
} {
  const found = SPEC.exec(spec);
  if (found === null) throw new TemplateError(`Invalid format specifier '${spec}'`);
  const [, fill, align, sign, z, alternate, zero, width, separator, precision, type] = found;
  if (z !== "") refuse("'z' in a format");
  const isZero = zero === "0" && align === undefined;
  return {
    layout: {
      fill: fill ?? (zero === "0" ? "0" : " "),
      align: align ?? (isZero ? "=" : ""),
      plus: sign === "-" ? "" : (sign ?? ""),
      width: checkedWidth(width),
    },
    isAligned: align !== undefined || isZero,
    isAlternate: alternate === "#",
    separator: separator ?? "",
    precision: checkedPrecision(precision),
    type: type ?? "",
  };
}

type Spec = ReturnType<typeof parseSpec>;

function formatText(run: Run, text: string, spec: Spec): string {
  if (spec.type !== "" && spec.type !== "s") unknownCode(spec.type, "str");
  if (
    spec.layout.align === "=" ||
    spec.layout.plus !== "" ||
    spec.isAlternate ||
    spec.separator !== ""
  ) {
    throw new TemplateError("a format of a number for a text");
  }
  const cut = spec.precision === undefined ? text : textSlice(text, 0, spec.precision);
  return padded(run, cut, { ...spec.layout, align: spec.layout.align || "<" });
}

function unknownCode(type: string, name: string): never {
  throw new TemplateError(`Unknown format code '${type}' for object of type '${name}'`);
}

function formatInt(run: Run, value: bigint, spec: Spec): string {
  const type = spec.type === "" ? "d" : spec.type;
  if ("eEfFgG%".includes(type)) return formatFloat(run, toFloat(value), spec);
  const base = type.toLowerCase();
  if (type === "c" || type === "n") refuse(`the format '${type}'`);
  if (!Object.hasOwn(BASES, base) || (type !== base && type !== "X")) unknownCode(type, "int");
  if (spec.precision !== undefined) {
    throw new TemplateError("Precision not allowed in integer format specifier");
  }
  if (spec.separator === "," && type !== "d") {
    throw new TemplateError(`Cannot specify ',' with '${type}'.`);
  }
  const plain = intDigits(value, base);
  const digits =
    spec.separator === "" ? plain : grouped(plain, spec.separator, base === "d" ? 3 : 4);
  const prefix = spec.isAlternate && base !== "d" ? `0${type}` : "";
  return formatNumber(run, { negative: value < 0n, prefix, digits, spec, isUpper: type === "X" });
}

function formatNumber(
  run: Run,
  given: { negative: boolean; prefix: string; digits: string; spec: Spec; isUpper: boolean },
): string {
  const { spec, isUpper, digits } = given;
  if (spec.separator !== "" && spec.layout.align === "=" && spec.layout.fill === "0") {
    refuse("zeros before digits in groups");
  }
  const layout = { ...spec.layout, align: spec.layout.align || ">" };
  return paddedNumber(run, { ...given, digits: isUpper ? digits.toUpperCase() : digits }, layout);
}

/** Without a type, a float has as many digits as it needs, and at least one after the point. */
function shortDigits(value: number, precision: number | undefined): string {
  if (precision === undefined || !Number.isFinite(value)) return floatText(Math.abs(value));
  const places = Math.max(precision, 1);
  const exponent = value === 0 ? 0 : Number(exponentialText(value, places - 1).split("e")[1]);
  if (exponent === places - 1) return withoutZeros(exponentialText(value, places - 1));
  const text = generalText(value, precision, false);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function formatFloat(run: Run, value: number, spec: Spec): string {
  const type = spec.type.toLowerCase();
  if (spec.type === "n") refuse("the format 'n'");
  if (!["", "e", "f", "g", "%"].includes(type)) unknownCode(spec.type, "float");
  const precision = spec.precision ?? 6;
  let digits: string;
  if (type === "") digits = shortDigits(value, spec.precision);
  else if (type === "%") digits = `${floatDigits(value * 100, "f", precision, false)}%`;
  else digits = floatDigits(value, type, precision, spec.isAlternate);
  if (spec.separator !== "" && Number.isFinite(value)) {
    if (/e/.test(digits)) refuse("digits in groups with an exponent");
    digits = grouped(digits, spec.separator, 3);
  }
  const isUpper = type !== spec.type;
  return formatNumber(run, { negative: isNegative(value), prefix: "", digits, spec, isUpper });
}

/** Python's `format(value, spec)`. */
export function formatValue(run: Run, value: Value, spec: string): string {
  if (spec === "") return print(run, value);
  const parsed = parseSpec(spec);
  if (typeof value === "string") return formatText(run, value, parsed);
  if (isMarkup(value)) return refuse("a format of an escaped text");
  if (typeof value === "number") return formatFloat(run, value, parsed);
  const int = asInt(value);
  if (int !== undefined) return formatInt(run, int, parsed);
  throw new TemplateError(`unsupported format string passed to ${typeName(value)}.__format__`);
}
