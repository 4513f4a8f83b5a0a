import { characters } from "./characters.ts";
import type { ListFilterName } from "./names.ts";
import { onlyAttribute } from "./attributes.ts";
import { asText, equals, isLess, sortBy } from "./compare.ts";
import { indexArgument } from "./convert-arguments.ts";
import { type Filter, filter, softText } from "./filter-row.ts";
import { iterate, itemsOf, lengthOf, listOf } from "./iterate.ts";
import { operate } from "./operate.ts";
import { refuse, TemplateError } from "./template-error.ts";
import {
  type Arguments,
  asInt,
  hashKey,
  isDict,
  isIter,
  isList,
  isMarkup,
  isRange,
  isTrue,
  isTuple,
  isUndefined,
  isView,
  Iter,
  type List,
  type Run,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

type Getter = (item: Value) => Value;

/** Texts are compared in lower case unless asked otherwise. */
function foldCase(value: Value): Value {
  const text = asText(value);
  return text === undefined ? value : text.toLowerCase();
}

/** The parts of `a.b.0`. */
function pathOf(attribute: Value): Value[] {
  if (attribute === null) return [];
  const text = asText(attribute);
  if (text === undefined) return [attribute];
  return text.split(".").map((part) => (/^\d+$/.test(part) ? BigInt(part) : part));
}

/** Follows a path such as `user.name` from each item; `fallback` stands for what is not there. */
function getter(run: Run, attribute: Value, fallback: Value = null): Getter {
  const path = pathOf(attribute);
  return (item) => {
    let value = item;
    for (const part of path) {
      value = run.getItem(value, part);
      if (fallback !== null && isUndefined(value)) value = fallback;
    }
    return value;
  };
}

function foldedGetter(run: Run, attribute: Value, isCaseSensitive: Value): Getter {
  const get = getter(run, attribute);
  return isTrue(isCaseSensitive) ? get : (item) => foldCase(get(item));
}

/** What to sort by: several attributes may be named with commas. */
function sortKey(run: Run, attribute: Value, isCaseSensitive: Value): Getter {
  const text = asText(attribute);
  const names: List = text === undefined ? [attribute] : text.split(",");
  const getters = names.map((name) => foldedGetter(run, name, isCaseSensitive));
  return (item) => getters.map((get) => get(item));
}

function* unique(run: Run, value: Value, get: Getter): Generator<Value> {
  const seen = new Set<string>();
  for (const item of iterate(run, value)) {
    const key = hashKey(get(item));
    if (seen.has(key)) continue;
    seen.add(key);
    yield item;
  }
}

function extreme(name: string, isBetter: (run: Run, a: Value, b: Value) => boolean): Filter {
  return filter(
    name,
    [
      ["case_sensitive", false],
      ["attribute", null],
    ],
    (run, value, isCaseSensitive = null, attribute = null) => {
      const get = foldedGetter(run, attribute, isCaseSensitive);
      let best: { key: Value; item: Value } | undefined;
      for (const item of iterate(run, value)) {
        const key = get(item);
        if (best === undefined || isBetter(run, key, best.key)) best = { key, item };
      }
      return best === undefined ? nothing("No aggregated item, sequence was empty.") : best.item;
    },
  );
}

function nothing(message: string): Undefined {
  return new Undefined(message);
}

function first(run: Run, value: Value): Value {
  const { done, value: item } = iterate(run, value).next();
  return done === true ? nothing("No first item, sequence was empty.") : item;
}

/** Python's `reversed(value)`; undefined where there is no end to begin from. */
function reversed(run: Run, value: Value): List | undefined {
  if (isIter(value)) return undefined;
  if (isDict(value) || isView(value) || isRange(value) || isUndefined(value)) {
    return listOf(run, value).toReversed();
  }
  if (isList(value) || isTuple(value)) {
    run.budget.spend(itemsOf(value).length);
    return itemsOf(value).toReversed();
  }
  const text = asText(value);
  return text === undefined ? undefined : listOf(run, text).toReversed();
}

function last(run: Run, value: Value): Value {
  const items = reversed(run, value);
  if (items === undefined) throw new TemplateError(`'${typeName(value)}' object is not reversible`);
  return items.length === 0 ? nothing("No last item, sequence was empty.") : (items[0] ?? null);
}

function reverse(run: Run, value: Value): Value {
  if (isMarkup(value)) return refuse("the filter 'reverse' on an escaped text");
  const items = reversed(run, value);
  if (typeof value === "string") return characters(value).toReversed().join("");
  if (items === undefined) return listOf(run, value).toReversed();
  const type = isList(value) ? "list_reverseiterator" : "reversed";
  return new Iter(items.values(), type);
}

function join(run: Run, value: Value, [separator, attribute]: readonly Value[]): string {
  const get = getter(run, attribute ?? null);
  const between = softText(run, separator ?? "");
  const parts: string[] = [];
  for (const item of iterate(run, value)) {
    const text = softText(run, get(item));
    run.budget.spendText(text.length + between.length);
    parts.push(text);
  }
  return parts.join(between);
}

function* batches(run: Run, value: Value, [size, fill]: readonly Value[]): Generator<Value> {
  const count = asInt(size ?? null);
  const filler = fill ?? null;
  let batch: Value[] = [];
  for (const item of iterate(run, value)) {
    if (BigInt(batch.length) === count) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length === 0) return;
  if (filler !== null) {
    const missing = Math.max(0, indexArgument(size ?? null, "batch") - batch.length);
    run.budget.spend(missing);
    for (let i = 0; i < missing; i++) batch.push(filler);
  }
  yield batch;
}

function* slices(run: Run, value: Value, [count, fill]: readonly Value[]): Generator<Value> {
  const items = listOf(run, value);
  const parts = indexArgument(count ?? null, "slice");
  if (parts === 0) throw new TemplateError("integer division or modulo by zero");
  const size = Math.floor(items.length / parts);
  const extra = items.length - size * parts;
  let begin = 0;
  for (let part = 0; part < parts; part++) {
    const end = begin + size + (part < extra ? 1 : 0);
    run.budget.spend(1 + end - begin);
    const slice = items.slice(begin, end);
    yield fill !== null && fill !== undefined && part >= extra ? [...slice, fill] : slice;
    begin = end;
  }
}

function groups(
  run: Run,
  value: Value,
  [attribute, fallback, isCaseSensitive]: readonly Value[],
): Value {
  const get = getter(run, attribute ?? null, fallback ?? null);
  const key: Getter = isTrue(isCaseSensitive ?? null) ? get : (item) => foldCase(get(item));
  const found: { key: Value; items: Value[] }[] = [];
  for (const item of sortBy(run, listOf(run, value), key, false)) {
    const itemKey = key(item);
    const group = found.at(-1);
    if (group !== undefined && equals(run, group.key, itemKey)) group.items.push(item);
    else found.push({ key: itemKey, items: [item] });
  }
  return found.map(({ items }) => new Tuple([get(items[0] ?? null), items], ["grouper", "list"]));
}

function sum(run: Run, value: Value, [attribute, start]: readonly Value[]): Value {
  const get = getter(run, attribute ?? null);
  let total: Value = start ?? 0n;
  if (asText(total) !== undefined) throw new TemplateError("sum() can't sum strings");
  for (const item of iterate(run, value)) total = operate(run, "+", total, get(item));
  return total;
}

function dictSort(
  run: Run,
  value: Value,
  [isCaseSensitive, by, isReverse]: readonly Value[],
): Value {
  const at = { key: 0, value: 1 }[asText(by ?? null) ?? ""];
  if (at === undefined) throw new TemplateError('You can only sort by either "key" or "value"');
  if (isUndefined(value)) value.fail();
  if (!isDict(value)) {
    throw new TemplateError(`'${typeName(value)}' object has no attribute 'items'`);
  }
  const key = (pair: readonly [Value, Value]): Value => {
    const part = pair[at] ?? null;
    return isTrue(isCaseSensitive ?? null) ? part : foldCase(part);
  };
  run.budget.spend(value.size);
  return sortBy(run, [...value.entries()], key, isTrue(isReverse ?? null)).map(
    (pair) => new Tuple(pair),
  );
}

function* mapped(run: Run, value: Value, given: Arguments): Generator<Value> {
  if (!isTrue(value)) return;
  const apply = mapping(run, given);
  for (const item of iterate(run, value)) yield apply(item);
}

/** What `map` does with each item: an attribute, or a filter with arguments. */
function mapping(run: Run, { positional, named }: Arguments): Getter {
  const [name, ...rest] = positional;
  if (name !== undefined) {
    const given = { positional: rest, named };
    return (item) => run.callFilter(softText(run, name), item, given);
  }
  const attribute = named.get("attribute");
  if (attribute === undefined) throw new TemplateError("map requires a filter argument");
  const unknown = [...named.keys()].find((key) => key !== "attribute" && key !== "default");
  if (unknown !== undefined) throw new TemplateError(`Unexpected keyword argument '${unknown}'`);
  return getter(run, attribute, named.get("default") ?? null);
}

/** `select` and its likes: items of which a test is true, or false. */
function selecting(keeps: boolean, byAttribute: boolean): Filter {
  function* selected(run: Run, value: Value, { positional, named }: Arguments): Generator<Value> {
    if (!isTrue(value)) return;
    const [attribute] = byAttribute ? positional : [];
    if (byAttribute && attribute === undefined) {
      throw new TemplateError("Missing parameter for attribute name");
    }
    const get = getter(run, attribute ?? null);
    const [name, ...rest] = positional.slice(byAttribute ? 1 : 0);
    const given = { positional: rest, named };
    for (const item of iterate(run, value)) {
      const part = get(item);
      const isGood =
        name === undefined ? isTrue(part) : run.callTest(softText(run, name), part, given);
      if (isGood === keeps) yield item;
    }
  }
  return (run, value, given) => new Iter(selected(run, value, given));
}

const DEFAULT: Filter = filter(
  "default",
  [
    ["default_value", ""],
    ["boolean", false],
  ],
  (_run, value, fallback = null, boolean = null) => {
    const isMissing = isUndefined(value) || (isTrue(boolean) && !isTrue(value));
    return isMissing ? fallback : value;
  },
);

const LENGTH: Filter = filter("length", [], (run, value) => BigInt(lengthOf(run, value)));

function* pairs(run: Run, value: Value): Generator<Value> {
  if (isUndefined(value)) return;
  if (!isDict(value)) throw new TemplateError("Can only get item pairs from a mapping.");
  for (const pair of value.entries()) {
    run.budget.spend(1);
    yield new Tuple(pair);
  }
}

export const LIST_FILTERS: { readonly [K in ListFilterName]: Filter } = {
  attr: filter("attr", [["name"]], (run, value, name = null) => {
    const text = softText(run, name);
    const attribute = onlyAttribute(value, text);
    return attribute === undefined ? nothing(`no attribute '${text}'`) : attribute;
  }),
  batch: filter(
    "batch",
    [["linecount"], ["fill_with", null]],
    (run, value, ...given) => new Iter(batches(run, value, given)),
  ),
  count: LENGTH,
  d: DEFAULT,
  default: DEFAULT,
  dictsort: filter(
    "dictsort",
    [
      ["case_sensitive", false],
      ["by", "key"],
      ["reverse", false],
    ],
    (run, value, ...given) => dictSort(run, value, given),
  ),
  first: filter("first", [], first),
  groupby: filter(
    "groupby",
    [["attribute"], ["default", null], ["case_sensitive", false]],
    (run, value, ...given) => groups(run, value, given),
  ),
  items: filter("items", [], (run, value) => new Iter(pairs(run, value))),
  join: filter(
    "join",
    [
      ["d", ""],
      ["attribute", null],
    ],
    (run, value, ...given) => join(run, value, given),
  ),
  last: filter("last", [], last),
  length: LENGTH,
  list: filter("list", [], listOf),
  map: (run, value, given) => new Iter(mapped(run, value, given)),
  max: extreme("max", (run, a, b) => isLess(run, b, a)),
  min: extreme("min", isLess),
  random: () => refuse("the filter 'random'"),
  reject: selecting(false, false),
  rejectattr: selecting(false, true),
  reverse: filter("reverse", [], reverse),
  select: selecting(true, false),
  selectattr: selecting(true, true),
  slice: filter(
    "slice",
    [["slices"], ["fill_with", null]],
    (run, value, ...given) => new Iter(slices(run, value, given)),
  ),
  sort: filter(
    "sort",
    [
      ["reverse", false],
      ["case_sensitive", false],
      ["attribute", null],
    ],
    (run, value, isReverse = null, isCaseSensitive = null, attribute = null) =>
      sortBy(run, listOf(run, value), sortKey(run, attribute, isCaseSensitive), isTrue(isReverse)),
  ),
  sum: filter(
    "sum",
    [
      ["attribute", null],
      ["start", 0n],
    ],
    (run, value, ...given) => sum(run, value, given),
  ),
  unique: filter(
    "unique",
    [
      ["case_sensitive", false],
      ["attribute", null],
    ],
    (run, value, isCaseSensitive = null, attribute = null) =>
      new Iter(unique(run, value, foldedGetter(run, attribute, isCaseSensitive))),
  ),
};
