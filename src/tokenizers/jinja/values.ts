import type { Budget } from "./budget.ts";
import { refuse, TemplateError } from "./template-error.ts";

/**
 * Python's values: None is null, an int a bigint, a float a number, a list an array; the rest are
 * objects with a `kind`. None of them is changed once it is made, but for namespaces and counters.
 */
export type Value = null | boolean | bigint | number | string | List | Special;
export type List = readonly Value[];
export type Special =
  Undefined | Markup | Tuple | Dict | Range | View | Iter | Callable | ObjectWithAttributes;

/** What a call is given. */
export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** What filters, tests and methods may use of the rendering that they are part of. */
export interface Run {
  readonly budget: Budget;
  /** The time that `strftime_now` writes. */
  readonly now: Date;
  /** `value.name` and `value[index]`. */
  readonly getAttribute: (value: Value, name: string) => Value;
  readonly getItem: (value: Value, index: Value) => Value;
  readonly callFilter: (name: string, value: Value, given: Arguments) => Value;
  readonly callTest: (name: string, value: Value, given: Arguments) => boolean;
}

/** A name or attribute that is not there: prints nothing, is false, and nothing else works. */
export class Undefined {
  readonly kind = "undefined";
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }

  fail(): never {
    throw new TemplateError(this.message);
  }
}

/** A text whose characters `<>&"'` are escaped. */
export class Markup {
  readonly kind = "markup";
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class Tuple {
  readonly kind = "tuple";
  readonly items: List;
  /** Attributes that the items have too, one each; none for most tuples. */
  readonly names: readonly string[];

  constructor(items: List, names: readonly string[] = []) {
    this.items = items;
    this.names = names;
  }
}

/** A mapping in the order of its insertions; keys are compared as Python does (1, 1.0 and True). */
export class Dict {
  readonly kind = "dict";
  readonly #entries = new Map<string, readonly [key: Value, value: Value]>();

  /** @param pairs - Of two with one key, the first's key and the last's value count. */
  constructor(pairs: Iterable<readonly [key: Value, value: Value]> = []) {
    for (const [key, value] of pairs) {
      const hash = hashKey(key);
      this.#entries.set(hash, [this.#entries.get(hash)?.[0] ?? key, value]);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hashKey(key))?.[1];
  }

  has(key: Value): boolean {
    return this.#entries.has(hashKey(key));
  }

  entries(): Iterable<readonly [key: Value, value: Value]> {
    return this.#entries.values();
  }
}

/** Python's `range`. */
export class Range {
  readonly kind = "range";
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;

  constructor(start: number, stop: number, step: number) {
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }

  at(index: number): bigint {
    return BigInt(this.start + index * this.step);
  }
}

export type ViewOf = "keys" | "values" | "items";

/** What `keys()`, `values()` and `items()` of a mapping give. */
export class View {
  readonly kind = "view";
  readonly of: ViewOf;
  readonly dict: Dict;

  constructor(dict: Dict, of: ViewOf) {
    this.dict = dict;
    this.of = of;
  }

  *items(): Generator<Value> {
    for (const [key, value] of this.dict.entries()) {
      if (this.of === "items") yield new Tuple([key, value]);
      else yield this.of === "keys" ? key : value;
    }
  }
}

/** Values that can be gone through once, such as those that the filter `map` gives. */
export class Iter {
  readonly kind = "iterator";
  readonly values: Iterator<Value>;
  /** Python's name of the type. */
  readonly typeName: string;

  constructor(values: Iterator<Value>, typeName = "generator") {
    this.values = values;
    this.typeName = typeName;
  }
}

/** A function, method or macro. */
export class Callable {
  readonly kind = "callable";
  readonly name: string;
  readonly call: (given: Arguments, run: Run) => Value;
  /** As Python prints it; undefined when that has an address of memory in it. */
  readonly printed: string | undefined;
  readonly attributes: ReadonlyMap<string, Value>;

  constructor(
    name: string,
    call: (given: Arguments, run: Run) => Value,
    printed?: string,
    attributes: ReadonlyMap<string, Value> = new Map(),
  ) {
    this.name = name;
    this.call = call;
    this.printed = printed;
    this.attributes = attributes;
  }
}

/** Jinja's own objects: a loop, a namespace, a cycler, a joiner. */
export abstract class ObjectWithAttributes {
  readonly kind = "object";
  abstract readonly typeName: string;
  readonly isCallable: boolean = false;
  /** @returns undefined if there is no such attribute. */
  abstract attribute(name: string): Value | undefined;
  /** As Python prints it; undefined when that has an address of memory in it. */
  abstract printed(repr: (value: Value) => string): string | undefined;

  /** @throws TemplateError unless it can be called. */
  call(_given: Arguments, _run: Run): Value {
    throw new TemplateError(`'${this.typeName}' object is not callable`);
  }
}

export type Kind = "none" | "bool" | "int" | "float" | "str" | "list" | Special["kind"];

const KINDS = { boolean: "bool", bigint: "int", number: "float", string: "str" } as const;

export function kindOf(value: Value): Kind {
  if (value === null) return "none";
  if (typeof value !== "object") return KINDS[typeof value as keyof typeof KINDS];
  return "kind" in value ? value.kind : "list";
}

function isKind<K extends Special["kind"]>(
  value: Value,
  kind: K,
): value is Extract<Special, { readonly kind: K }> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}

export const isUndefined = (value: Value): value is Undefined => isKind(value, "undefined");
export const isMarkup = (value: Value): value is Markup => isKind(value, "markup");
export const isTuple = (value: Value): value is Tuple => isKind(value, "tuple");
export const isDict = (value: Value): value is Dict => isKind(value, "dict");
export const isRange = (value: Value): value is Range => isKind(value, "range");
export const isView = (value: Value): value is View => isKind(value, "view");
export const isIter = (value: Value): value is Iter => isKind(value, "iterator");
export const isCallable = (value: Value): value is Callable => isKind(value, "callable");
export const isObjectWithAttributes = (value: Value): value is ObjectWithAttributes =>
  isKind(value, "object");
export const isList = (value: Value): value is List => Array.isArray(value);

const TYPE_NAMES: Readonly<Record<Kind, string>> = {
  none: "NoneType",
  bool: "bool",
  int: "int",
  float: "float",
  str: "str",
  list: "list",
  undefined: "Undefined",
  markup: "Markup",
  tuple: "tuple",
  dict: "dict",
  range: "range",
  view: "dict view",
  iterator: "generator",
  callable: "function",
  object: "object",
};

/** Python's name of the value's type. */
export function typeName(value: Value): string {
  if (isView(value)) return `dict_${value.of}`;
  if (isIter(value) || isObjectWithAttributes(value)) return value.typeName;
  return TYPE_NAMES[kindOf(value)];
}

/** Characters that the parts of a key may have together: a tuple can hold one part many times. */
const MAX_KEY = 100_000;

/** Equal for values that are one key of a mapping. */
export function hashKey(value: Value): string {
  return isTuple(value) ? tupleKey(value, { left: MAX_KEY }) : scalarKey(value);
}

function tupleKey({ items }: Tuple, room: { left: number }): string {
  room.left -= 1;
  const keys = items.map((item) => {
    const key = isTuple(item) ? tupleKey(item, room) : scalarKey(item);
    room.left -= 1 + key.length;
    if (room.left < 0) refuse("a tuple that large as a key");
    return `${key.length}:${key}`;
  });
  return `t${keys.join("")}`;
}

function scalarKey(value: Value): string {
  if (typeof value === "string") return `s${value}`;
  if (isMarkup(value)) return `s${value.text}`;
  if (typeof value === "bigint" || typeof value === "boolean") return `n${BigInt(value)}`;
  if (typeof value === "number") return Number.isInteger(value) ? `n${BigInt(value)}` : `f${value}`;
  if (value === null) return "None";
  if (isUndefined(value)) return "Undefined";
  if (isList(value) || isDict(value)) {
    throw new TemplateError(`unhashable type: '${typeName(value)}'`);
  }
  return refuse(`a key of type ${typeName(value)}`);
}

/** The whole number of an int or bool. */
export function asInt(value: Value): bigint | undefined {
  if (typeof value === "bigint") return value;
  return typeof value === "boolean" ? BigInt(value) : undefined;
}

/** Whether a value counts as true. */
export function isTrue(value: Value): boolean {
  if (typeof value !== "object") return Boolean(value);
  if (value === null || isUndefined(value)) return false;
  const size = sizeOf(value);
  return size === undefined || size > 0;
}

/** Number of elements, characters as they are for UTF-16; undefined for a value without a size. */
export function sizeOf(value: Value): number | undefined {
  if (typeof value === "string") return value.length;
  if (isList(value)) return value.length;
  if (isTuple(value)) return value.items.length;
  if (isDict(value)) return value.size;
  if (isMarkup(value)) return value.text.length;
  if (isRange(value)) return value.length;
  if (isView(value)) return value.dict.size;
  if (isUndefined(value)) return 0;
  const length = isObjectWithAttributes(value) ? value.attribute("length") : undefined;
  return typeof length === "bigint" ? Number(length) : undefined;
}
