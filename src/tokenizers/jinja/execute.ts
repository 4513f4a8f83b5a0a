import { callValue, evaluate, evaluateArguments, type Frame } from "./evaluate.ts";
import { iterate, unpack } from "./iterate.ts";
import { Loop, type Recurse } from "./loop.ts";
import { makeMacro } from "./macro.ts";
import { Namespace } from "./namespace.ts";
import type { Body, Expression, Statement, StatementKind, StatementOf, Target } from "./nodes.ts";
import { Output } from "./output.ts";
import { print } from "./print.ts";
import { Scope } from "./scope.ts";
import { refuse, TemplateError } from "./template-error.ts";
import { isObjectWithAttributes, isTrue, Iter, Tuple, type Value } from "./values.ts";

/** What leaves a loop's body before its end. */
type Signal = "break" | "continue" | undefined;

type Rule<K extends StatementKind> = (node: StatementOf<K>, frame: Frame, out: Output) => Signal;

function inner(frame: Frame, values: Iterable<readonly [string, Value]> = []): Frame {
  return { ...frame, scope: new Scope(frame.scope, values) };
}

/** Runs statements until one leaves the loop around them. */
export function executeBody(body: Body, frame: Frame, out: Output): Signal {
  for (const statement of body) {
    const signal = execute(statement, frame, out);
    if (signal !== undefined) return signal;
  }
  return undefined;
}

function execute(statement: Statement, frame: Frame, out: Output): Signal {
  frame.run.budget.enter();
  const rule = RULES[statement.kind] as (node: Statement, frame: Frame, out: Output) => Signal;
  const signal = rule(statement, frame, out);
  frame.run.budget.leave();
  return signal;
}

/** The text that a body writes by itself; what it leaves early stays within. */
function writeBody(body: Body, frame: Frame): string {
  const out = new Output(frame.run.budget);
  executeBody(body, frame, out);
  return out.text;
}

function namespaceOf(name: string, { scope }: Frame): Namespace {
  const value = scope.get(name);
  const isNamespace = value !== undefined && isObjectWithAttributes(value);
  if (isNamespace && value instanceof Namespace) return value;
  throw new TemplateError("cannot assign attribute on non-namespace object");
}

/** Fails for an attribute of what is no namespace before the value is looked at. */
function checkTarget(target: Target, frame: Frame): void {
  if (target.kind === "namespaceTarget") namespaceOf(target.name, frame);
  if (target.kind === "tupleTarget") target.items.forEach((item) => checkTarget(item, frame));
}

function assign(target: Target, value: Value, frame: Frame): void {
  if (target.kind === "nameTarget") frame.scope.set(target.name, value);
  else if (target.kind === "namespaceTarget") {
    namespaceOf(target.name, frame).set(target.attribute, value);
  } else {
    const values = unpack(frame.run, value, target.items.length);
    target.items.forEach((item, i) => assign(item, values[i] ?? null, frame));
  }
}

/** A target's value read back: several names are a tuple. */
function assigned(target: Target, { scope }: Frame): Value {
  if (target.kind === "tupleTarget") {
    return new Tuple(target.items.map((item) => assigned(item, { scope } as Frame)));
  }
  return scope.get(target.name) ?? null;
}

function* selected(
  { target, test }: { target: Target; test: Expression },
  over: Value,
  frame: Frame,
): Generator<Value> {
  for (const item of iterate(frame.run, over)) {
    const tested = inner(frame);
    assign(target, item, tested);
    if (isTrue(evaluate(test, tested))) yield assigned(target, tested);
  }
}

interface LoopPlace {
  readonly depth: number;
  readonly recurse: Recurse | undefined;
}

function runLoop(
  node: StatementOf<"for">,
  over: Value,
  frame: Frame,
  out: Output,
  { depth, recurse }: LoopPlace,
): Signal {
  const { target, test } = node;
  const values = test === undefined ? over : new Iter(selected({ target, test }, over, frame));
  const loop = new Loop(frame.run, values, depth, recurse);
  // As in Python, a body that is left early does not count as run.
  let hasRun = false;
  for (let item = loop.next(); item !== undefined; item = loop.next()) {
    const turn = inner(frame, [["loop", loop]]);
    assign(target, item, turn);
    const signal = executeBody(node.body, turn, out);
    if (signal === "break") break;
    if (signal === undefined) hasRun = true;
  }
  return hasRun ? undefined : executeBody(node.otherwise, inner(frame), out);
}

function executeFor(node: StatementOf<"for">, frame: Frame, out: Output): Signal {
  const over = evaluate(node.over, frame);
  if (!node.recursive) return runLoop(node, over, frame, out, { depth: 0, recurse: undefined });
  const recurse: Recurse = (values, depth) => {
    const nested = new Output(frame.run.budget);
    runLoop(node, values, frame, nested, { depth, recurse });
    return nested.text;
  };
  out.write(print(frame.run, recurse(over, 0)));
  return undefined;
}

function executeIf({ branches, otherwise }: StatementOf<"if">, frame: Frame, out: Output): Signal {
  for (const [test, body] of branches) {
    if (isTrue(evaluate(test, frame))) return executeBody(body, frame, out);
  }
  return executeBody(otherwise, frame, out);
}

function executeSet({ target, value }: StatementOf<"set">, frame: Frame): Signal {
  checkTarget(target, frame);
  assign(target, evaluate(value, frame), frame);
  return undefined;
}

function executeSetBlock(node: StatementOf<"setBlock">, frame: Frame): Signal {
  const within = inner(frame);
  const written = new Output(frame.run.budget);
  const signal = executeBody(node.body, within, written);
  if (signal !== undefined) return signal;
  const { text } = written;
  const { filter } = node;
  const value = filter === undefined ? text : evaluate(filter, { ...within, written: text });
  checkTarget(node.target, frame);
  assign(node.target, value, frame);
  return undefined;
}

function executeFilterBlock(node: StatementOf<"filterBlock">, frame: Frame, out: Output): Signal {
  const within = inner(frame);
  const written = new Output(frame.run.budget);
  const signal = executeBody(node.body, within, written);
  if (signal !== undefined) return signal;
  out.write(print(frame.run, evaluate(node.filter, { ...within, written: written.text })));
  return undefined;
}

function executeMacro(node: StatementOf<"macro">, frame: Frame): Signal {
  frame.scope.set(node.name, makeMacro(node, frame, writeBody));
  return undefined;
}

function executeCallBlock(node: StatementOf<"callBlock">, frame: Frame, out: Output): Signal {
  const { parameters, body, call } = node;
  const caller = makeMacro({ name: undefined, parameters, body }, frame, writeBody);
  const given = evaluateArguments(call.given, frame, ["caller", caller]);
  const result = callValue(evaluate(call.callee, frame), given, frame.run);
  out.write(print(frame.run, result));
  return undefined;
}

function executeWith({ bindings, body }: StatementOf<"with">, frame: Frame, out: Output): Signal {
  const within = inner(frame);
  for (const [target, value] of bindings) assign(target, evaluate(value, frame), within);
  return executeBody(body, within, out);
}

const RULES: { readonly [K in StatementKind]: Rule<K> } = {
  text: ({ text }, _frame, out) => {
    out.write(text);
    return undefined;
  },
  output: ({ values }, frame, out) => {
    for (const value of values) out.write(print(frame.run, evaluate(value, frame)));
    return undefined;
  },
  if: executeIf,
  for: executeFor,
  set: executeSet,
  setBlock: executeSetBlock,
  macro: executeMacro,
  callBlock: executeCallBlock,
  filterBlock: executeFilterBlock,
  with: executeWith,
  autoescape: ({ on, body }, frame, out) => {
    if (isTrue(evaluate(on, frame))) refuse("{% autoescape true %}");
    return executeBody(body, inner(frame), out);
  },
  block: ({ scoped, body }, frame, out) => {
    const around = scoped ? frame.scope : frame.top;
    return executeBody(body, { ...frame, scope: new Scope(around) }, out);
  },
  generation: ({ body }, frame, out) => executeBody(body, inner(frame), out),
  break: () => "break",
  continue: () => "continue",
  otherTemplate: ({ tag }) => refuse(`{% ${tag} %}, which reads another template,`),
};
