import { bindArguments } from "./bind-arguments.ts";
import { asNumber, asText, COMPARE, equals } from "./compare.ts";
import { softText } from "./filter-row.ts";
import { isIterable } from "./iterate.ts";
import { CHARACTER_TESTS } from "./letters.ts";
import { isFilterName, isTestName, type TestName } from "./names.ts";
import type { ComparisonOperator } from "./nodes.ts";
import { operate } from "./operate.ts";
import { refuse } from "./template-error.ts";
import {
  type Arguments,
  isCallable,
  isDict,
  isIter,
  isList,
  isMarkup,
  isObjectWithAttributes,
  isRange,
  isTuple,
  isUndefined,
  type Run,
  type Value,
} from "./values.ts";

/** What a test says of a value. */
export type Test = (run: Run, value: Value, given: Arguments) => boolean;

/** A test of the value alone. */
function of(name: string, holds: (value: Value, run: Run) => boolean): Test {
  return (run, value, given) => {
    bindArguments(name, [], given);
    return holds(value, run);
  };
}

/** A test with one argument. */
function against(name: string, holds: (run: Run, value: Value, other: Value) => boolean): Test {
  return (run, value, given) => {
    const [other = null] = bindArguments(name, [["other"]], given);
    return holds(run, value, other);
  };
}

function comparing(operator: ComparisonOperator): Test {
  return against(operator, COMPARE[operator]);
}

function modulo(run: Run, value: Value, by: Value, wanted: bigint): boolean {
  return equals(run, operate(run, "%", value, by), wanted);
}

function hasLetters(test: (text: string) => boolean): (value: Value, run: Run) => boolean {
  return (value, run) => test(softText(run, value));
}

/** Whether two values are one object; of equal texts and numbers, Python's memory decides. */
function isSameObject(_run: Run, a: Value, b: Value): boolean {
  if (typeof a === "string" && a === b && a.length > 1) return refuse("'sameas' of equal texts");
  if (typeof a === "number" && a === b) return refuse("'sameas' of equal floats");
  if (typeof a === "bigint" && a === b && (a < -5n || a > 256n)) {
    return refuse("'sameas' of equal large numbers");
  }
  if (isTuple(a) && isTuple(b) && a !== b) return refuse("'sameas' of tuples");
  return a === b;
}

function hasItems(value: Value): boolean {
  if (typeof value === "string" || isMarkup(value)) return true;
  if (isList(value) || isTuple(value)) return true;
  return isDict(value) || isRange(value) || isUndefined(value);
}

const EQ = comparing("==");
const NE = comparing("!=");
const GT = comparing(">");
const GE = comparing(">=");
const LT = comparing("<");
const LE = comparing("<=");

/** What each test says. */
export const TESTS: { readonly [K in TestName]: Test } = {
  boolean: of("boolean", (value) => typeof value === "boolean"),
  callable: of("callable", (value) => {
    // A loop and an undefined value have a way to be called too, which says that it fails.
    return (
      isCallable(value) || isUndefined(value) || (isObjectWithAttributes(value) && value.isCallable)
    );
  }),
  defined: of("defined", (value) => !isUndefined(value)),
  divisibleby: against("divisibleby", (run, value, by) => modulo(run, value, by, 0n)),
  eq: EQ,
  equalto: EQ,
  escaped: of("escaped", isMarkup),
  even: of("even", (value, run) => modulo(run, value, 2n, 0n)),
  false: of("false", (value) => value === false),
  filter: of("filter", (value) => isFilterName(asText(value) ?? "")),
  float: of("float", (value) => typeof value === "number"),
  ge: GE,
  greaterthan: GT,
  gt: GT,
  in: against("in", COMPARE.in),
  integer: of("integer", (value) => typeof value === "bigint"),
  iterable: of("iterable", isIterable),
  le: LE,
  lessthan: LT,
  lower: of("lower", hasLetters(CHARACTER_TESTS.islower)),
  lt: LT,
  mapping: of("mapping", isDict),
  ne: NE,
  none: of("none", (value) => value === null),
  number: of("number", (value) => asNumber(value) !== undefined),
  odd: of("odd", (value, run) => modulo(run, value, 2n, 1n)),
  sameas: against("sameas", isSameObject),
  sequence: of("sequence", (value) => hasItems(value) && !isIter(value)),
  string: of("string", (value) => asText(value) !== undefined),
  test: of("test", (value) => isTestName(asText(value) ?? "")),
  true: of("true", (value) => value === true),
  undefined: of("undefined", isUndefined),
  upper: of("upper", hasLetters(CHARACTER_TESTS.isupper)),
  "==": EQ,
  "!=": NE,
  "<": LT,
  "<=": LE,
  ">": GT,
  ">=": GE,
};
