import { compareTexts } from "./characters.ts";
import { iterate } from "./iterate.ts";
import type { ComparisonOperator } from "./nodes.ts";
import { refuse, TemplateError } from "./template-error.ts";
import {
  asInt,
  type Dict,
  isDict,
  isIter,
  isList,
  isMarkup,
  isRange,
  isTuple,
  isUndefined,
  isView,
  type List,
  type Run,
  typeName,
  type Value,
} from "./values.ts";

/** A value as a number, if it is an int, bool or float. */
export function asNumber(value: Value): bigint | number | undefined {
  return typeof value === "number" ? value : asInt(value);
}

/** A value as text, if it is one. */
export function asText(value: Value): string | undefined {
  if (typeof value === "string") return value;
  return isMarkup(value) ? value.text : undefined;
}

function equalLists(run: Run, a: List, b: List): boolean {
  return a.length === b.length && a.every((item, i) => isSame(run, item, b[i] ?? null));
}

function equalDicts(run: Run, a: Dict, b: Dict): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a.entries()) {
    const other = b.get(key);
    if (other === undefined || !isSame(run, value, other)) return false;
  }
  return true;
}

/** The same object, or equal: what Python asks of elements. */
function isSame(run: Run, a: Value, b: Value): boolean {
  return a === b || equals(run, a, b);
}

/** Python's `a == b`. */
export function equals(run: Run, a: Value, b: Value): boolean {
  run.budget.enter();
  const result = equalValues(run, a, b);
  run.budget.leave();
  return result;
}

function equalValues(run: Run, a: Value, b: Value): boolean {
  const [number, otherNumber] = [asNumber(a), asNumber(b)];
  if (number !== undefined && otherNumber !== undefined) {
    // oxlint-disable-next-line eqeqeq -- an int and a float are compared by their exact values
    return number == otherNumber;
  }
  const [text, otherText] = [asText(a), asText(b)];
  if (text !== undefined && otherText !== undefined) {
    run.budget.spendText(Math.min(text.length, otherText.length));
    return text === otherText;
  }
  if (isList(a) && isList(b)) return a === b || equalLists(run, a, b);
  if (isTuple(a) && isTuple(b)) return a === b || equalLists(run, a.items, b.items);
  if (isDict(a) && isDict(b)) return a === b || equalDicts(run, a, b);
  if (isUndefined(a) && isUndefined(b)) return true;
  if (isRange(a) && isRange(b)) return equalLists(run, [...iterate(run, a)], [...iterate(run, b)]);
  if (isView(a) && isView(b) && a.of !== "values" && b.of !== "values") {
    refuse("a comparison of the keys or items of two dicts");
  }
  return a === b;
}

/** Less than, equal or greater than 0. @throws TemplateError when the two have no order. */
function order(run: Run, a: Value, b: Value, operator: string): number {
  run.budget.enter();
  const result = orderValues(run, a, b, operator);
  run.budget.leave();
  return result;
}

function orderLists(run: Run, a: List, b: List, operator: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [left, right] = [a[i] ?? null, b[i] ?? null];
    if (!isSame(run, left, right)) return order(run, left, right, operator);
  }
  return a.length - b.length;
}

/** NaN stands for what is neither less nor greater. */
function orderNumbers(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  // oxlint-disable-next-line eqeqeq -- an int and a float are compared by their exact values
  return a == b ? 0 : Number.NaN;
}

function orderValues(run: Run, a: Value, b: Value, operator: string): number {
  const [number, otherNumber] = [asNumber(a), asNumber(b)];
  if (number !== undefined && otherNumber !== undefined) return orderNumbers(number, otherNumber);
  const [text, otherText] = [asText(a), asText(b)];
  if (text !== undefined && otherText !== undefined) {
    run.budget.spendText(Math.min(text.length, otherText.length));
    return compareTexts(text, otherText);
  }
  if (isList(a) && isList(b)) return orderLists(run, a, b, operator);
  if (isTuple(a) && isTuple(b)) return orderLists(run, a.items, b.items, operator);
  if (isUndefined(a)) a.fail();
  if (isUndefined(b)) b.fail();
  throw new TemplateError(
    `'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
}

/** Python's `a < b`. */
export function isLess(run: Run, a: Value, b: Value): boolean {
  return order(run, a, b, "<") < 0;
}

/** Python's `item in container`. */
export function contains(run: Run, container: Value, item: Value): boolean {
  const text = asText(container);
  if (text !== undefined) {
    const part = asText(item);
    if (part === undefined) {
      throw new TemplateError(
        `'in <string>' requires string as left operand, not ${typeName(item)}`,
      );
    }
    run.budget.spendText(text.length);
    return text.includes(part);
  }
  if (isDict(container)) return container.has(item);
  if (isView(container) && container.of === "keys") return container.dict.has(item);
  if (isIter(container) || isList(container) || isTuple(container) || isView(container)) {
    return containsAmong(run, container, item);
  }
  if (isRange(container) || isUndefined(container)) return containsAmong(run, container, item);
  throw new TemplateError(`argument of type '${typeName(container)}' is not iterable`);
}

function containsAmong(run: Run, values: Value, item: Value): boolean {
  // A generator goes on from where it was found, so it must not be closed.
  const elements = iterate(run, values);
  for (let next = elements.next(); next.done !== true; next = elements.next()) {
    if (isSame(run, next.value, item)) return true;
  }
  return false;
}

type Comparison = (run: Run, a: Value, b: Value) => boolean;

/** Python's comparisons. */
export const COMPARE: { readonly [K in ComparisonOperator]: Comparison } = {
  "==": equals,
  "!=": (run, a, b) => !equals(run, a, b),
  "<": isLess,
  "<=": (run, a, b) => order(run, a, b, "<=") <= 0,
  ">": (run, a, b) => order(run, a, b, ">") > 0,
  ">=": (run, a, b) => order(run, a, b, ">=") >= 0,
  in: (run, a, b) => contains(run, b, a),
  "not in": (run, a, b) => !contains(run, b, a),
};

/** Python's `sorted`: stable, and by nothing but "less than". */
export function sortBy<T>(
  run: Run,
  items: readonly T[],
  keyOf: (item: T) => Value,
  reverse: boolean,
): T[] {
  const keyed = items.map((item): readonly [Value, T] => [keyOf(item), item]);
  const sign = reverse ? -1 : 1;
  return keyed
    .toSorted(([a], [b]) => {
      if (isLess(run, a, b)) return -sign;
      return isLess(run, b, a) ? sign : 0;
    })
    .map(([, item]) => item);
}
