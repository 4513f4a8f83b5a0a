import { characters, textLength } from "./characters.ts";
import { TemplateError } from "./template-error.ts";
import {
  isDict,
  isIter,
  isList,
  isMarkup,
  isRange,
  isTuple,
  isUndefined,
  isView,
  sizeOf,
  typeName,
  type Range,
  type Run,
  type Tuple,
  type List,
  type Value,
} from "./values.ts";

function* keysOf(entries: Iterable<readonly [Value, Value]>): Generator<Value> {
  for (const [key] of entries) yield key;
}

function* numbersOf(range: Range): Generator<Value> {
  for (let i = 0; i < range.length; i++) yield range.at(i);
}

/** What a loop goes through; undefined when there is no going through the value. */
function elements(value: Value): Iterable<Value> | undefined {
  if (isList(value)) return value;
  if (isTuple(value)) return value.items;
  if (isDict(value)) return keysOf(value.entries());
  if (isView(value)) return value.items();
  if (isRange(value)) return numbersOf(value);
  if (typeof value === "string") return characters(value);
  if (isMarkup(value)) return characters(value.text);
  if (isIter(value)) return { [Symbol.iterator]: () => value.values };
  return isUndefined(value) ? [] : undefined;
}

export function isIterable(value: Value): boolean {
  return elements(value) !== undefined;
}

function* counted(run: Run, values: Iterator<Value>): Generator<Value> {
  for (let next = values.next(); next.done !== true; next = values.next()) {
    run.budget.spend(1);
    yield next.value;
  }
}

/**
 * The elements of a value, each of which is counted when it is asked for.
 * @throws TemplateError if it has none.
 */
export function iterate(run: Run, value: Value): Generator<Value> {
  if (typeof value === "string") run.budget.spend(value.length);
  const found = elements(value);
  if (found === undefined) throw new TemplateError(`'${typeName(value)}' object is not iterable`);
  return counted(run, found[Symbol.iterator]());
}

/** All elements of a value, as `list(value)`. */
export function listOf(run: Run, value: Value): List {
  return [...iterate(run, value)];
}

/** Python's `len(value)`. */
export function lengthOf(run: Run, value: Value): number {
  if (typeof value === "string") {
    run.budget.spendText(value.length);
    return textLength(value);
  }
  if (isMarkup(value)) return textLength(value.text);
  const size = sizeOf(value);
  if (size === undefined) {
    throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
  }
  return size;
}

/** The values of a tuple or list that is unpacked, as in `for key, value in ...`. */
export function unpack(run: Run, value: Value, count: number): List {
  const items: Value[] = [];
  for (const item of iterate(run, value)) {
    items.push(item);
    if (items.length > count) {
      throw new TemplateError(`too many values to unpack (expected ${count})`);
    }
  }
  if (items.length === count) return items;
  throw new TemplateError(`not enough values to unpack (expected ${count}, got ${items.length})`);
}

/** The two values of each pair in what `dict` is made of. */
export function pairOf(run: Run, value: Value): readonly [Value, Value] {
  const [key = null, item = null] = unpack(run, value, 2);
  return [key, item];
}

export function itemsOf(value: Tuple | List): List {
  return isList(value) ? value : value.items;
}
