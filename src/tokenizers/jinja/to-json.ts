import { sortBy } from "./compare.ts";
import { floatText } from "./float-text.ts";
import { intText } from "./print.ts";
import { TemplateError } from "./template-error.ts";
import {
  type Dict,
  isDict,
  isList,
  isMarkup,
  isTuple,
  type List,
  type Run,
  typeName,
  type Value,
} from "./values.ts";

/** How transformers' `tojson` writes. */
export interface JsonOptions {
  readonly ensureAscii: boolean;
  /** What a level is indented by; undefined for one line. */
  readonly indent: string | undefined;
  readonly separators: readonly [items: string, keys: string];
  readonly sortKeys: boolean;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return floatText(value);
  return value > 0 ? "Infinity" : "-Infinity";
}

function textJson(text: string, { ensureAscii }: JsonOptions): string {
  const json = JSON.stringify(text);
  if (!ensureAscii) return json;
  return json.replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function scalarJson(value: Value): string | undefined {
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return intText(value);
  return typeof value === "number" ? numberText(value) : undefined;
}

function keyJson(key: Value, options: JsonOptions): string {
  if (typeof key === "string") return textJson(key, options);
  const scalar = scalarJson(key);
  if (scalar !== undefined) return `"${scalar}"`;
  throw new TemplateError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

function bracketed(
  brackets: string,
  parts: readonly string[],
  { indent, separators }: JsonOptions,
  level: number,
): string {
  if (parts.length === 0) return brackets;
  const [open = "", close = ""] = brackets;
  if (indent === undefined) return open + parts.join(separators[0]) + close;
  const line = `\n${indent.repeat(level + 1)}`;
  return `${open}${line}${parts.join(separators[0] + line)}\n${indent.repeat(level)}${close}`;
}

function listJson(run: Run, items: List, options: JsonOptions, level: number): string {
  const parts = items.map((item) => toJson(run, item, options, level + 1));
  return bracketed("[]", parts, options, level);
}

function dictJson(run: Run, dict: Dict, options: JsonOptions, level: number): string {
  const entries = [...dict.entries()];
  const sorted = options.sortKeys ? sortBy(run, entries, ([key]) => key, false) : entries;
  const parts = sorted.map(
    ([key, value]) =>
      keyJson(key, options) + options.separators[1] + toJson(run, value, options, level + 1),
  );
  return bracketed("{}", parts, options, level);
}

/** Python's `json.dumps(value)`. @param level - Levels around the value. */
export function toJson(run: Run, value: Value, options: JsonOptions, level = 0): string {
  run.budget.enter();
  let json = scalarJson(value);
  if (typeof value === "string") json = textJson(value, options);
  else if (isMarkup(value)) json = textJson(value.text, options);
  else if (isList(value)) json = listJson(run, value, options, level);
  else if (isTuple(value)) json = listJson(run, value.items, options, level);
  else if (isDict(value)) json = dictJson(run, value, options, level);
  if (json === undefined) {
    throw new TemplateError(`Object of type ${typeName(value)} is not JSON serializable`);
  }
  run.budget.spendText(json.length + (options.indent?.length ?? 0) * level);
  run.budget.leave();
  return json;
}
