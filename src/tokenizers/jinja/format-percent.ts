import { textLength, textSlice } from "./characters.ts";
import { isNegative } from "./float-text.ts";
import {
  checkedPrecision,
  checkedWidth,
  floatDigits,
  intDigits,
  type Layout,
  padded,
  paddedNumber,
} from "./format-spec.ts";
import { toFloat } from "./numbers.ts";
import { print, repr } from "./print.ts";
import { refuse, TemplateError } from "./template-error.ts";
import { asInt, isDict, isTuple, isUndefined, type Run, typeName, type Value } from "./values.ts";

const CONVERSION = /%(?:\(([^()]*)\))?([-+ 0#]*)(\*|[0-9]*)(?:\.(\*|[0-9]*))?[hlL]?([^]?)/gu;

/** One conversion of a format, such as `%-5.2f`. */
interface Conversion {
  readonly type: string;
  readonly layout: Layout;
  readonly precision: number | undefined;
  readonly isAlternate: boolean;
}

function wholeNumber(value: Value, type: string): bigint {
  if (typeof value === "number" && "diu".includes(type) && Number.isFinite(value)) {
    return BigInt(Math.trunc(value));
  }
  const int = asInt(value);
  if (int !== undefined) return int;
  if (isUndefined(value)) value.fail();
  throw new TemplateError(`%${type} format: a number is required, not ${typeName(value)}`);
}

function floatNumber(value: Value): number {
  if (typeof value === "number") return value;
  const int = asInt(value);
  if (int !== undefined) return toFloat(int);
  if (isUndefined(value)) value.fail();
  throw new TemplateError(`must be real number, not ${typeName(value)}`);
}

function convertInt(run: Run, value: Value, conversion: Conversion): string {
  const { type, layout, precision, isAlternate } = conversion;
  const int = wholeNumber(value, type);
  const base = "iu".includes(type) ? "d" : type.toLowerCase();
  const digits = intDigits(int, base).padStart(precision ?? 0, "0");
  const prefix = isAlternate && base !== "d" ? `0${type}` : "";
  const isUpper = type === "X";
  return paddedNumber(
    run,
    { negative: int < 0n, prefix, digits: isUpper ? digits.toUpperCase() : digits },
    layout,
  );
}

function convertFloat(run: Run, value: Value, conversion: Conversion): string {
  const { type, layout, precision = 6, isAlternate } = conversion;
  const float = floatNumber(value);
  const digits = floatDigits(float, type.toLowerCase(), precision, isAlternate);
  const isUpper = type !== type.toLowerCase();
  return paddedNumber(
    run,
    { negative: isNegative(float), prefix: "", digits: isUpper ? digits.toUpperCase() : digits },
    layout,
  );
}

function convertText(run: Run, value: Value, conversion: Conversion): string {
  if (conversion.type === "a") refuse("%a in a format");
  const text = conversion.type === "s" ? print(run, value) : repr(run, value);
  const cut = conversion.precision === undefined ? text : textSlice(text, 0, conversion.precision);
  const { layout } = conversion;
  return padded(run, cut, {
    ...layout,
    fill: " ",
    align: layout.align === "=" ? ">" : layout.align,
  });
}

function convertCharacter(run: Run, value: Value, { layout }: Conversion): string {
  const code = asInt(value);
  if (code !== undefined) refuse("%c of a number in a format");
  if (typeof value !== "string" || textLength(value) !== 1) {
    throw new TemplateError("%c requires int or char");
  }
  return padded(run, value, {
    ...layout,
    fill: " ",
    align: layout.align === "=" ? ">" : layout.align,
  });
}

type Convert = (run: Run, value: Value, conversion: Conversion) => string;

const CONVERT: Readonly<Record<string, Convert>> = {
  ...Object.fromEntries("diuoxX".split("").map((type) => [type, convertInt])),
  ...Object.fromEntries("eEfFgG".split("").map((type) => [type, convertFloat])),
  ...Object.fromEntries("sra".split("").map((type) => [type, convertText])),
  c: convertCharacter,
};

/** The values that a format takes one after the other, or by name. */
class Given {
  readonly #value: Value;
  readonly #values: readonly Value[];
  #taken = 0;

  constructor(value: Value) {
    this.#value = value;
    this.#values = isTuple(value) ? value.items : [value];
  }

  next(): Value {
    const value = this.#values[this.#taken];
    this.#taken += 1;
    if (value === undefined) throw new TemplateError("not enough arguments for format string");
    return value;
  }

  named(name: string): Value {
    if (!isDict(this.#value)) throw new TemplateError("format requires a mapping");
    this.#taken = this.#values.length;
    const value = this.#value.get(name);
    if (value === undefined) throw new TemplateError(`'${name}'`);
    return value;
  }

  checkAllTaken(): void {
    const value = this.#value;
    const isMapping = isDict(value) || Array.isArray(value) || isUndefined(value);
    if (this.#taken >= this.#values.length || isMapping) return;
    throw new TemplateError("not all arguments converted during string formatting");
  }
}

function layoutOf(flags: string, width: string | undefined): Layout {
  let align = ">";
  if (flags.includes("-")) align = "<";
  else if (flags.includes("0")) align = "=";
  let plus = flags.includes(" ") ? " " : "";
  if (flags.includes("+")) plus = "+";
  return { fill: align === "=" ? "0" : " ", align, plus, width: checkedWidth(width) };
}

/** Python's `format % value`. */
export function formatPercent(run: Run, format: string, value: Value): string {
  const given = new Given(value);
  run.budget.spendText(format.length);
  const text = format.replaceAll(
    CONVERSION,
    (
      _,
      name: string | undefined,
      flags: string,
      width: string,
      precision: string | undefined,
      type: string,
    ) => {
      if (type === "%") return "%";
      if (width === "*" || precision === "*") refuse("'*' in a format");
      if (type === "") throw new TemplateError("incomplete format");
      const convert = Object.hasOwn(CONVERT, type) ? CONVERT[type] : undefined;
      if (convert === undefined) throw new TemplateError(`unsupported format character '${type}'`);
      const conversion = {
        type,
        layout: layoutOf(flags, width),
        precision: checkedPrecision(precision === "" ? "0" : precision),
        isAlternate: flags.includes("#"),
      };
      return convert(run, name === undefined ? given.next() : given.named(name), conversion);
    },
  );
  given.checkAllTaken();
  return text;
}
