/** Jinja's filters, by what they filter; what each does stands in a table for each of these. */
export const TEXT_FILTER_NAMES = [
  "capitalize",
  "center",
  "e",
  "escape",
  "filesizeformat",
  "forceescape",
  "format",
  "indent",
  "lower",
  "pprint",
  "replace",
  "safe",
  "string",
  "striptags",
  "title",
  "tojson",
  "trim",
  "truncate",
  "upper",
  "urlencode",
  "urlize",
  "wordcount",
  "wordwrap",
  "xmlattr",
] as const;
export const NUMBER_FILTER_NAMES = ["abs", "float", "int", "round"] as const;
export const LIST_FILTER_NAMES = [
  "attr",
  "batch",
  "count",
  "d",
  "default",
  "dictsort",
  "first",
  "groupby",
  "items",
  "join",
  "last",
  "length",
  "list",
  "map",
  "max",
  "min",
  "random",
  "reject",
  "rejectattr",
  "reverse",
  "select",
  "selectattr",
  "slice",
  "sort",
  "sum",
  "unique",
] as const;

/** Jinja's tests; what each does stands in `tests.ts`. */
export const TEST_NAMES = [
  "boolean",
  "callable",
  "defined",
  "divisibleby",
  "eq",
  "equalto",
  "escaped",
  "even",
  "false",
  "filter",
  "float",
  "ge",
  "greaterthan",
  "gt",
  "in",
  "integer",
  "iterable",
  "le",
  "lessthan",
  "lower",
  "lt",
  "mapping",
  "ne",
  "none",
  "number",
  "odd",
  "sameas",
  "sequence",
  "string",
  "test",
  "true",
  "undefined",
  "upper",
  "==",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
] as const;

export type TextFilterName = (typeof TEXT_FILTER_NAMES)[number];
export type NumberFilterName = (typeof NUMBER_FILTER_NAMES)[number];
export type ListFilterName = (typeof LIST_FILTER_NAMES)[number];
export type FilterName = TextFilterName | NumberFilterName | ListFilterName;
export type TestName = (typeof TEST_NAMES)[number];

const FILTER_NAMES: ReadonlySet<string> = new Set([
  ...TEXT_FILTER_NAMES,
  ...NUMBER_FILTER_NAMES,
  ...LIST_FILTER_NAMES,
]);
const TESTS: ReadonlySet<string> = new Set(TEST_NAMES);

export function isFilterName(name: string): name is FilterName {
  return FILTER_NAMES.has(name);
}

export function isTestName(name: string): name is TestName {
  return TESTS.has(name);
}
