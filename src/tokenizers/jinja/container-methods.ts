import { bindArguments, type ParameterSpec } from "./bind-arguments.ts";
import { equals } from "./compare.ts";
import { clippedBounds } from "./convert-arguments.ts";
import { itemsOf } from "./iterate.ts";
import { refuse, TemplateError } from "./template-error.ts";
import {
  type Arguments,
  type Dict,
  type List,
  type Run,
  type Value,
  type Tuple,
  View,
} from "./values.ts";

/** What stands for a method that changes its list or dict, which the sandbox keeps from templates. */
export const UNSAFE = "unsafe";

type Method<T> = ((run: Run, self: T, given: Arguments) => Value) | typeof UNSAFE;

function method<T>(
  name: string,
  parameters: readonly ParameterSpec[],
  apply: (run: Run, self: T, ...values: Value[]) => Value,
): Method<T> {
  return (run, self, given) => {
    if (given.named.size > 0) throw new TemplateError(`${name}() takes no keyword arguments`);
    return apply(run, self, ...bindArguments(name, parameters, given));
  };
}

function countOf(run: Run, values: List, sought: Value): bigint {
  return BigInt(values.filter((value) => value === sought || equals(run, value, sought)).length);
}

function indexOf(run: Run, values: List, [sought, start, end]: readonly Value[]): bigint {
  const [from, to] = clippedBounds(start ?? null, end ?? null, values.length);
  for (let i = from; i < to; i++) {
    const value = values[i] ?? null;
    if (value === sought || equals(run, value, sought ?? null)) return BigInt(i);
  }
  throw new TemplateError("the value is not in the list");
}

const INDEX: readonly ParameterSpec[] = [["value"], ["start", null], ["end", null]];

const SEQUENCE_METHODS = {
  count: method<List | Tuple>("count", [["value"]], (run, self, value = null) =>
    countOf(run, itemsOf(self), value),
  ),
  index: method<List | Tuple>("index", INDEX, (run, self, ...given) =>
    indexOf(run, itemsOf(self), given),
  ),
};

const LIST: Readonly<Record<string, Method<List | Tuple>>> = {
  ...SEQUENCE_METHODS,
  copy: method("copy", [], (run, self) => {
    run.budget.spend(itemsOf(self).length);
    return [...itemsOf(self)];
  }),
  append: UNSAFE,
  clear: UNSAFE,
  extend: UNSAFE,
  insert: UNSAFE,
  pop: UNSAFE,
  remove: UNSAFE,
  reverse: UNSAFE,
  sort: UNSAFE,
};

const DICT: Readonly<Record<string, Method<Dict>>> = {
  get: method("get", [["key"], ["default", null]], (_run, self, key = null, fallback = null) => {
    const value = self.get(key);
    return value === undefined ? fallback : value;
  }),
  keys: method("keys", [], (_run, self) => new View(self, "keys")),
  values: method("values", [], (_run, self) => new View(self, "values")),
  items: method("items", [], (_run, self) => new View(self, "items")),
  copy: method("copy", [], (_run, self) => self),
  fromkeys: () => refuse("fromkeys()"),
  clear: UNSAFE,
  pop: UNSAFE,
  popitem: UNSAFE,
  setdefault: UNSAFE,
  update: UNSAFE,
};

export const LIST_METHODS: ReadonlyMap<string, Method<List | Tuple>> = new Map(
  Object.entries(LIST),
);
export const TUPLE_METHODS: ReadonlyMap<string, Method<List | Tuple>> = new Map(
  Object.entries(SEQUENCE_METHODS),
);
export const DICT_METHODS: ReadonlyMap<string, Method<Dict>> = new Map(Object.entries(DICT));
