import { floatText } from "./float-text.ts";
import { refuse, TemplateError } from "./template-error.ts";
import {
  isDict,
  isIter,
  isList,
  isMarkup,
  isRange,
  isTuple,
  isUndefined,
  isView,
  Markup,
  type Range,
  type Run,
  typeName,
  type Value,
} from "./values.ts";

/** Python prints no longer whole numbers. */
const MAX_DIGITS = 4300;

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function escapeCharacter(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}

/** `repr(text)`: in single quotes where that needs no backslash before one. */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll(/[\\\p{C}\p{Z}]/gu, (character) =>
    character === " " ? character : escapeCharacter(character),
  );
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}

export function intText(value: bigint): string {
  const text = value.toString();
  if (text.length > MAX_DIGITS + (value < 0n ? 1 : 0)) {
    throw new TemplateError(
      `Exceeds the limit (${MAX_DIGITS} digits) for integer string conversion`,
    );
  }
  return text;
}

function rangeText({ start, stop, step }: Range): string {
  return `range(${start}, ${stop}${step === 1 ? "" : `, ${step}`})`;
}

function joined(run: Run, values: Iterable<Value>): string {
  const parts: string[] = [];
  for (const value of values) parts.push(repr(run, value));
  return parts.join(", ");
}

function dictText(run: Run, entries: Iterable<readonly [Value, Value]>): string {
  const parts: string[] = [];
  for (const [key, value] of entries) parts.push(`${repr(run, key)}: ${repr(run, value)}`);
  return `{${parts.join(", ")}}`;
}

function specialText(
  run: Run,
  value: Exclude<Value, string | number | bigint | boolean | null>,
): string {
  if (isList(value)) return `[${joined(run, value)}]`;
  if (isDict(value)) return dictText(run, value.entries());
  if (isTuple(value)) return `(${joined(run, value.items)}${value.items.length === 1 ? "," : ""})`;
  if (isUndefined(value)) return "Undefined";
  if (isMarkup(value)) return `Markup(${quoted(value.text)})`;
  if (isRange(value)) return rangeText(value);
  if (isView(value)) return `dict_${value.of}([${joined(run, value.items())}])`;
  if (isIter(value)) return refuse(`a ${value.typeName} in print, which needs "| list",`);
  const printed =
    typeof value.printed === "function" ? value.printed((part) => repr(run, part)) : value.printed;
  return printed ?? refuse(`a ${typeName(value)} in print`);
}

/** Python's `repr(value)`. */
export function repr(run: Run, value: Value): string {
  run.budget.enter();
  let text: string;
  if (typeof value === "string") text = quoted(value);
  else if (typeof value === "number") text = floatText(value);
  else if (typeof value === "bigint") text = intText(value);
  else if (typeof value === "boolean") text = value ? "True" : "False";
  else text = value === null ? "None" : specialText(run, value);
  run.budget.spendText(text.length);
  run.budget.leave();
  return text;
}

/** Python's `str(value)`, which is also what a template writes. */
export function print(run: Run, value: Value): string {
  if (typeof value === "string") return value;
  if (isMarkup(value)) return value.text;
  return isUndefined(value) ? "" : repr(run, value);
}

const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

/** A text that is safe in HTML: what is marked so already stays as it is. */
export function escaped(run: Run, value: Value): Markup {
  if (isMarkup(value)) return value;
  const text = print(run, value);
  run.budget.spendText(text.length * 5);
  return new Markup(text.replaceAll(/[&<>"']/g, (character) => HTML[character] ?? character));
}
