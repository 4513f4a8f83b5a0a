import { characters, textLength, textSlice } from "./characters.ts";
import { asNumber, asText } from "./compare.ts";
import { DICT_METHODS, LIST_METHODS, TUPLE_METHODS, UNSAFE } from "./container-methods.ts";
import { clippedBounds } from "./convert-arguments.ts";
import { itemsOf } from "./iterate.ts";
import { numberAttribute } from "./number-attributes.ts";
import { quoted, repr } from "./print.ts";
import { refuse, TemplateError } from "./template-error.ts";
import { TEXT_METHODS } from "./text-methods.ts";
import {
  asInt,
  Callable,
  isCallable,
  isDict,
  isList,
  isMarkup,
  isObjectWithAttributes,
  isRange,
  isTuple,
  isUndefined,
  isView,
  Markup,
  Range,
  type Run,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

function describe(value: Value): string {
  if (value === null) return "None";
  return `${typeName(value)} object`;
}

function noAttribute(value: Value, name: string): Undefined {
  return new Undefined(`'${describe(value)}' has no attribute ${quoted(name)}`);
}

function unsafe(value: Value, name: string): Undefined {
  return new Undefined(`access to attribute '${name}' of '${typeName(value)}' object is unsafe.`);
}

function method<T extends Value>(
  self: T,
  name: string,
  call: ((run: Run, self: T, given: Parameters<Callable["call"]>[0]) => Value) | typeof UNSAFE,
): Value {
  if (call === UNSAFE) return unsafe(self, name);
  return new Callable(name, (given, run) => call(run, self, given));
}

function markupAttribute(name: string): Value {
  return refuse(`${name} of an escaped text`);
}

/** What Python's `getattr` finds; undefined if nothing. */
function attributeOf(value: Value, name: string): Value | undefined {
  if (typeof value === "string") {
    const call = TEXT_METHODS.get(name);
    return call === undefined ? undefined : method(value, name, call);
  }
  const number = asNumber(value);
  if (number !== undefined) return numberAttribute(number, name);
  const field = isTuple(value) ? value.items[value.names.indexOf(name)] : undefined;
  if (field !== undefined) return field;
  if (isList(value) || isTuple(value)) {
    const call = (isList(value) ? LIST_METHODS : TUPLE_METHODS).get(name);
    if (call === undefined) return undefined;
    return method<typeof value>(value, name, call);
  }
  if (isDict(value)) {
    const call = DICT_METHODS.get(name);
    return call === undefined ? undefined : method(value, name, call);
  }
  if (isObjectWithAttributes(value)) return value.attribute(name);
  if (isMarkup(value)) return TEXT_METHODS.has(name) ? markupAttribute(name) : undefined;
  if (isCallable(value)) return value.attributes.get(name);
  if (isRange(value)) return rangeAttribute(value, name);
  if (isView(value) && ["mapping", "isdisjoint"].includes(name)) refuse(`${name} of a dict's view`);
  return undefined;
}

function rangeAttribute(range: Range, name: string): Value | undefined {
  if (name === "start" || name === "stop" || name === "step") return BigInt(range[name]);
  return name === "count" || name === "index" ? refuse(`${name}() of a range`) : undefined;
}

/** An attribute as the sandbox gives it; one that begins with an underscore is there but unsafe. */
function safeAttribute(value: Value, name: string): Value | undefined {
  if (/^__.*__$/.test(name)) return unsafe(value, name);
  const found = attributeOf(value, name);
  return found !== undefined && name.startsWith("_") ? unsafe(value, name) : found;
}

/** Python's `value[index]`; undefined if there is no such element. */
function elementOf(value: Value, index: Value): Value | undefined {
  if (isDict(value)) return isHashable(index) ? value.get(index) : undefined;
  const at = asInt(index);
  if (at === undefined) return undefined;
  if (isList(value) || isTuple(value)) {
    return itemsOf(value).at(clampIndex(at));
  }
  const text = asText(value);
  if (text !== undefined) return characterAt(text, clampIndex(at), isMarkup(value));
  if (!isRange(value)) return undefined;
  const i = Number(at) < 0 ? Number(at) + value.length : Number(at);
  return i >= 0 && i < value.length ? value.at(i) : undefined;
}

/** An index far outside stays outside. */
function clampIndex(index: bigint): number {
  return Math.max(-(2 ** 40), Math.min(2 ** 40, Number(index)));
}

function characterAt(text: string, index: number, isMarked: boolean): Value | undefined {
  const length = textLength(text);
  const at = index < 0 ? index + length : index;
  if (at < 0 || at >= length) return undefined;
  const character = textSlice(text, at, at + 1);
  return isMarked ? new Markup(character) : character;
}

function isHashable(value: Value): boolean {
  if (isTuple(value)) return value.items.every((item) => isHashable(item));
  return !isList(value) && !isDict(value);
}

/** `value.name` in a template: the attribute, else the element of that name. */
export function getAttribute(run: Run, value: Value, name: string): Value {
  run.budget.spend(1);
  if (isUndefined(value)) return value.fail();
  const attribute = safeAttribute(value, name);
  const found = attribute === undefined ? elementOf(value, name) : attribute;
  return found === undefined ? noAttribute(value, name) : found;
}

/** `value[index]` in a template: the element, else the attribute of that name. */
export function getItem(run: Run, value: Value, index: Value): Value {
  const text = asText(value);
  if (text === undefined) run.budget.spend(1);
  else run.budget.spendText(text.length);
  if (isUndefined(value)) return value.fail();
  const element = elementOf(value, index);
  if (element !== undefined) return element;
  if (typeof index === "string") {
    const attribute = safeAttribute(value, index);
    return attribute === undefined ? noAttribute(value, index) : attribute;
  }
  return new Undefined(`${describe(value)} has no element ${repr(run, index)}`);
}

/** `getattr(value, name)` of a value that has it, for the filter `attr`; undefined if not. */
export function onlyAttribute(value: Value, name: string): Value | undefined {
  if (isUndefined(value)) return value.fail();
  return safeAttribute(value, name);
}

/** Python's rule for `begin:end:step`. */
function sliceIndices(
  [start, stop, step]: readonly [Value, Value, Value],
  length: number,
): { from: number; count: number; by: number } {
  const by = step === null ? 1 : Number(asInt(step) ?? Number.NaN);
  if (Number.isNaN(by)) {
    throw new TemplateError("slice indices must be integers or None or have an __index__ method");
  }
  if (by === 0) throw new TemplateError("slice step cannot be zero");
  if (by > 0) {
    const [from, to] = clippedBounds(start, stop, length);
    return { from, by, count: Math.max(0, Math.ceil((to - from) / by)) };
  }
  // Going down, positions reach from -1 to the last one; one more turns that into 0 to the length.
  const shift = (value: Value, fallback: number): number => {
    if (value === null) return fallback;
    const [clipped] = clippedBounds(value, null, length);
    const index = Number(asInt(value));
    if (index < -length) return -1;
    return Math.min(clipped, length - 1);
  };
  const from = shift(start, length - 1);
  const to = shift(stop, -1);
  return { from, by, count: Math.max(0, Math.ceil((to - from) / by)) };
}

/** `value[begin:end:step]` in a template. */
export function getSlice(run: Run, value: Value, bounds: readonly [Value, Value, Value]): Value {
  const text = asText(value);
  if (text !== undefined) {
    run.budget.spendText(text.length);
    const part = sliceText(text, bounds);
    return isMarkup(value) ? new Markup(part) : part;
  }
  if (isRange(value)) {
    const { from, count, by } = sliceIndices(bounds, value.length);
    const start = value.start + from * value.step;
    const step = value.step * by;
    return new Range(start, start + count * step, step);
  }
  if (isList(value) || isTuple(value)) {
    const items = itemsOf(value);
    const { from, count, by } = sliceIndices(bounds, items.length);
    run.budget.spend(count);
    const part = Array.from({ length: count }, (_, i) => items[from + i * by] ?? null);
    return isList(value) ? part : new Tuple(part);
  }
  if (isUndefined(value)) return value.fail();
  const reason = isDict(value)
    ? "unhashable type: 'slice'"
    : `'${typeName(value)}' object is not subscriptable`;
  throw new TemplateError(reason);
}

function sliceText(text: string, bounds: readonly [Value, Value, Value]): string {
  const { from, count, by } = sliceIndices(bounds, textLength(text));
  if (by === 1) return textSlice(text, from, from + count);
  const letters = characters(text);
  return Array.from({ length: count }, (_, i) => letters[from + i * by]).join("");
}
