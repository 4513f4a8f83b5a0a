import { asText } from "./compare.ts";
import { isSpace } from "./characters.ts";
import { TemplateError } from "./template-error.ts";
import { asInt, isTuple, isUndefined, typeName, type Value } from "./values.ts";

/** An argument that must be a text. */
export function textArgument(value: Value, callee: string): string {
  const text = asText(value);
  if (text !== undefined) return text;
  if (isUndefined(value)) throw new TemplateError(`${callee}: ${value.message}`);
  throw new TemplateError(`${callee}() argument must be str, not ${typeName(value)}`);
}

/** An argument that must be a whole number that an index may have. */
export function indexArgument(value: Value, callee: string): number {
  const int = asInt(value);
  if (int === undefined) {
    if (isUndefined(value)) throw new TemplateError(`${callee}: ${value.message}`);
    throw new TemplateError(`'${typeName(value)}' object cannot be interpreted as an integer`);
  }
  const index = Number(int);
  if (Number.isSafeInteger(index)) return index;
  throw new TemplateError("Python int too large to convert to C ssize_t");
}

/** The texts to look for: one, or a tuple of them. */
export function affixes(value: Value, callee: string): string[] {
  const items = isTuple(value) ? value.items : [value];
  return items.map((item) => textArgument(item, callee));
}

/** What `strip` takes away: characters of a text, or white space for None. */
export function strippedBy(value: Value, callee: string): (character: string) => boolean {
  if (value === null) return isSpace;
  const characters = new Set(textArgument(value, callee));
  return (character) => characters.has(character);
}

/** Bounds of a slice as Python clips them; `start` and `end` may be None. */
export function clippedBounds(
  start: Value,
  end: Value,
  length: number,
): readonly [begin: number, end: number] {
  const clip = (value: Value, fallback: number): number => {
    if (value === null) return fallback;
    const int = asInt(value);
    if (int === undefined) {
      throw new TemplateError("slice indices must be integers or None or have an __index__ method");
    }
    const index = Number(int);
    return Math.min(length, Math.max(0, index < 0 ? index + length : index));
  };
  return [clip(start, 0), clip(end, length)];
}
