import { getAttribute, getItem, getSlice } from "./attributes.ts";
import { COMPARE } from "./compare.ts";
import { iterate } from "./iterate.ts";
import type { ArgumentNodes, Expression, ExpressionKind, ExpressionOf } from "./nodes.ts";
import { operate, signed } from "./operate.ts";
import { print } from "./print.ts";
import type { Scope } from "./scope.ts";
import { refuse, TemplateError } from "./template-error.ts";
import {
  type Arguments,
  Dict,
  isCallable,
  isDict,
  isObjectWithAttributes,
  isTrue,
  isUndefined,
  type Run,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** What an expression is evaluated in. */
export interface Frame {
  readonly run: Run;
  readonly scope: Scope;
  /** Names of the template's outermost part, which blocks see. */
  readonly top: Scope;
  /** What a filter block has written, for the filter without a value. */
  readonly written?: string;
}

type Rule<K extends ExpressionKind> = (node: ExpressionOf<K>, frame: Frame) => Value;

function named(nodes: ArgumentNodes["named"], frame: Frame): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [name, node] of nodes) {
    if (values.has(name)) throw new TemplateError(`keyword argument repeated: ${name}`);
    values.set(name, evaluate(node, frame));
  }
  return values;
}

/** The values of arguments. @param extra - Further ones by name. */
export function evaluateArguments(
  nodes: ArgumentNodes,
  frame: Frame,
  extra?: readonly [string, Value],
): Arguments {
  const positional = nodes.positional.map((node) => evaluate(node, frame));
  const values = named(nodes.named, frame);
  if (extra !== undefined) {
    if (values.has(extra[0])) throw new TemplateError(`keyword argument repeated: ${extra[0]}`);
    values.set(...extra);
  }
  if (nodes.spread !== undefined) {
    positional.push(...iterate(frame.run, evaluate(nodes.spread, frame)));
  }
  if (nodes.namedSpread !== undefined) addNamed(values, evaluate(nodes.namedSpread, frame));
  return { positional, named: values };
}

function addNamed(values: Map<string, Value>, spread: Value): void {
  if (!isDict(spread)) {
    throw new TemplateError(`argument after ** must be a mapping, not ${typeName(spread)}`);
  }
  for (const [key, value] of spread.entries()) {
    if (typeof key !== "string") throw new TemplateError("keywords must be strings");
    if (values.has(key)) {
      throw new TemplateError(`got multiple values for keyword argument '${key}'`);
    }
    values.set(key, value);
  }
}

/** Calls a value. @throws TemplateError if it is none that can be called. */
export function callValue(callee: Value, given: Arguments, run: Run): Value {
  run.budget.enter();
  if (isUndefined(callee)) callee.fail();
  if (!isCallable(callee) && !isObjectWithAttributes(callee)) {
    throw new TemplateError(`'${typeName(callee)}' object is not callable`);
  }
  const result = callee.call(given, run);
  run.budget.leave();
  return result;
}

function compareAll({ first, rest }: ExpressionOf<"comparison">, frame: Frame): Value {
  let left = evaluate(first, frame);
  for (const [operator, node] of rest) {
    const right = evaluate(node, frame);
    if (!COMPARE[operator](frame.run, left, right)) return false;
    left = right;
  }
  return true;
}

function concat({ parts }: ExpressionOf<"concat">, frame: Frame): Value {
  const texts = parts.map((part) => print(frame.run, evaluate(part, frame)));
  const text = texts.join("");
  frame.run.budget.spendText(text.length);
  return text;
}

function condition(node: ExpressionOf<"condition">, frame: Frame): Value {
  if (isTrue(evaluate(node.test, frame))) return evaluate(node.value, frame);
  if (node.otherwise !== undefined) return evaluate(node.otherwise, frame);
  return new Undefined(
    "the inline if-expression evaluated to false and no else section was defined.",
  );
}

/** Whether Python's compiler works a number out beforehand. */
function isConstant(node: Expression): boolean {
  if (node.kind === "negative" || node.kind === "positive") return isConstant(node.of);
  return node.kind === "constant";
}

function binary({ operator, left, right }: ExpressionOf<"binary">, frame: Frame): Value {
  // Jinja writes it into its program without parentheses, where the sign goes to the power.
  if (operator === "**" && left.kind !== "constant" && isConstant(left) && !isConstant(right)) {
    refuse("a power of a negative constant");
  }
  return operate(frame.run, operator, evaluate(left, frame), evaluate(right, frame));
}

function bound(node: Expression | undefined, frame: Frame): Value {
  return node === undefined ? null : evaluate(node, frame);
}

const RULES: { readonly [K in ExpressionKind]: Rule<K> } = {
  constant: ({ value }) => value,
  name: ({ name }, { scope }) => {
    const value = scope.get(name);
    if (value === undefined && name === "self") refuse("self, the template itself,");
    return value === undefined ? new Undefined(`'${name}' is undefined`) : value;
  },
  list: ({ items }, frame) => items.map((item) => evaluate(item, frame)),
  tuple: ({ items }, frame) => new Tuple(items.map((item) => evaluate(item, frame))),
  dict: ({ pairs }, frame) =>
    new Dict(pairs.map(([key, value]) => [evaluate(key, frame), evaluate(value, frame)])),
  attribute: ({ of, name }, frame) => getAttribute(frame.run, evaluate(of, frame), name),
  item: ({ of, index }, frame) => getItem(frame.run, evaluate(of, frame), evaluate(index, frame)),
  slice: ({ of, bounds: [start, stop, step] }, frame) =>
    getSlice(frame.run, evaluate(of, frame), [
      bound(start, frame),
      bound(stop, frame),
      bound(step, frame),
    ]),
  call: ({ callee, given }, frame) =>
    callValue(evaluate(callee, frame), evaluateArguments(given, frame), frame.run),
  filter: ({ of, name, given }, frame) =>
    frame.run.callFilter(
      name,
      of === undefined ? (frame.written ?? "") : evaluate(of, frame),
      evaluateArguments(given, frame),
    ),
  test: ({ of, name, given }, frame) =>
    frame.run.callTest(name, evaluate(of, frame), evaluateArguments(given, frame)),
  negative: ({ of }, frame) => signed(evaluate(of, frame), true),
  positive: ({ of }, frame) => signed(evaluate(of, frame), false),
  not: ({ of }, frame) => !isTrue(evaluate(of, frame)),
  and: ({ left, right }, frame) => {
    const value = evaluate(left, frame);
    return isTrue(value) ? evaluate(right, frame) : value;
  },
  or: ({ left, right }, frame) => {
    const value = evaluate(left, frame);
    return isTrue(value) ? value : evaluate(right, frame);
  },
  binary,
  concat,
  comparison: compareAll,
  condition,
};

/** The value of an expression. */
export function evaluate(node: Expression, frame: Frame): Value {
  frame.run.budget.enter();
  const rule = RULES[node.kind] as (node: Expression, frame: Frame) => Value;
  const value = rule(node, frame);
  frame.run.budget.leave();
  return value;
}
