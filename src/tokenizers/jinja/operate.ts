import { asNumber, asText } from "./compare.ts";
import { formatPercent } from "./format-percent.ts";
import type { BinaryOperator } from "./nodes.ts";
import { calculate } from "./numbers.ts";
import { escaped } from "./print.ts";
import { refuse, TemplateError } from "./template-error.ts";
import {
  asInt,
  isList,
  isMarkup,
  isTuple,
  isUndefined,
  isView,
  type List,
  Markup,
  type Run,
  Tuple,
  typeName,
  type Value,
} from "./values.ts";

function add(run: Run, a: Value, b: Value): Value | undefined {
  if (typeof a === "string" && typeof b === "string") {
    run.budget.spendText(a.length + b.length);
    return a + b;
  }
  if (isMarkup(a) || isMarkup(b)) return addMarkup(run, a, b);
  if (isList(a) && isList(b)) return addLists(run, a, b);
  if (isTuple(a) && isTuple(b)) return new Tuple(addLists(run, a.items, b.items));
  return undefined;
}

function addMarkup(run: Run, a: Value, b: Value): Value | undefined {
  if (asText(a) === undefined || asText(b) === undefined) return undefined;
  const [left, right] = [escaped(run, a).text, escaped(run, b).text];
  run.budget.spendText(left.length + right.length);
  return new Markup(left + right);
}

function addLists(run: Run, a: List, b: List): List {
  run.budget.spend(a.length + b.length);
  return [...a, ...b];
}

function repeatList(run: Run, items: List, count: number): List {
  run.budget.spend(items.length * count);
  return Array.from({ length: count }, () => items).flat(1);
}

function repeat(run: Run, value: Value, times: bigint): Value | undefined {
  const count = times < 0n ? 0 : Number(times);
  if (typeof value === "string") {
    run.budget.spendText(value.length * count);
    return value.length === 0 ? "" : value.repeat(count);
  }
  if (isMarkup(value)) return refuse("the repetition of an escaped text");
  if (isList(value)) return repeatElements(run, value, count);
  return isTuple(value) ? new Tuple(repeatElements(run, value.items, count)) : undefined;
}

/** Elements may be lists themselves, which stay as they are. */
function repeatElements(run: Run, items: List, count: number): List {
  const boxed = repeatList(
    run,
    items.map((item): Value => [item]),
    items.length === 0 ? 0 : count,
  );
  return boxed.map((box) => (isList(box) ? (box[0] ?? null) : box));
}

function multiply(run: Run, a: Value, b: Value): Value | undefined {
  const [times, otherTimes] = [asInt(a), asInt(b)];
  if (otherTimes !== undefined) return repeat(run, a, otherTimes);
  return times === undefined ? undefined : repeat(run, b, times);
}

function format(run: Run, a: Value, b: Value): Value | undefined {
  if (isMarkup(a)) return refuse("% on an escaped text");
  return typeof a === "string" ? formatPercent(run, a, b) : undefined;
}

type Rule = (run: Run, a: Value, b: Value) => Value | undefined;

const none: Rule = () => undefined;

function subtract(_run: Run, a: Value, b: Value): Value | undefined {
  return isView(a) && isView(b) ? refuse("a difference of sets") : undefined;
}

/** What the operators do with values that are not both numbers. */
const RULES: { readonly [K in BinaryOperator]: Rule } = {
  "+": add,
  "-": subtract,
  "*": multiply,
  "/": none,
  "//": none,
  "%": format,
  "**": none,
};

/** Python's `a operator b`. */
export function operate(run: Run, operator: BinaryOperator, a: Value, b: Value): Value {
  const [number, otherNumber] = [asNumber(a), asNumber(b)];
  if (number !== undefined && otherNumber !== undefined) {
    if (typeof number === "bigint" && number > 0xffff_ffffn) run.budget.spend(20);
    return calculate(operator, number, otherNumber);
  }
  // A text on the left formats even what is undefined.
  if (isUndefined(a)) a.fail();
  if (isUndefined(b) && !(operator === "%" && typeof a === "string")) b.fail();
  const result = RULES[operator](run, a, b);
  if (result !== undefined) return result;
  throw new TemplateError(
    `unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`,
  );
}

/** Python's `-value` and `+value`. */
export function signed(value: Value, isNegative: boolean): Value {
  const number = asNumber(value);
  if (number !== undefined) return isNegative ? -number : number;
  if (isUndefined(value)) value.fail();
  throw new TemplateError(
    `bad operand type for unary ${isNegative ? "-" : "+"}: '${typeName(value)}'`,
  );
}
