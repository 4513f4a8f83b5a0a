import { namesUsed } from "./check-template.ts";
import { evaluate, type Frame } from "./evaluate.ts";
import type { Body, Parameter } from "./nodes.ts";
import { Scope } from "./scope.ts";
import { TemplateError } from "./template-error.ts";
import { type Arguments, Callable, Dict, Tuple, Undefined, type Value } from "./values.ts";

/** What a macro is made of; a call block's body is one without a name. */
export interface MacroNode {
  readonly name: string | undefined;
  readonly parameters: readonly Parameter[];
  readonly body: Body;
}

/** Which of the names that are there without being parameters the body reads. */
interface Special {
  readonly caller: boolean;
  readonly kwargs: boolean;
  readonly varargs: boolean;
}

function specialNames({ parameters, body }: MacroNode): Special {
  const names = new Set(parameters.map(({ name }) => name));
  const used = namesUsed(body, ["caller", "kwargs", "varargs"]);
  const isSpecial = (name: string): boolean => used.has(name) && !names.has(name);
  const caller = parameters.find(({ name }) => name === "caller");
  if (used.has("caller") && caller !== undefined && caller.fallback === undefined) {
    throw new TemplateError(
      'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.',
    );
  }
  return {
    caller: isSpecial("caller"),
    kwargs: isSpecial("kwargs"),
    varargs: isSpecial("varargs"),
  };
}

/** The names that a call gives values to; undefined for a parameter that is left to its default. */
function bindMacro(
  { name: macroName, parameters }: MacroNode,
  special: Special,
  { positional, named }: Arguments,
): Map<string, Value | undefined> {
  const rest = new Map(named);
  const values = new Map<string, Value | undefined>();
  for (const [i, { name }] of parameters.entries()) {
    values.set(name, i < positional.length ? positional[i] : rest.get(name));
    if (i >= positional.length) rest.delete(name);
  }
  if (special.caller) {
    values.set("caller", rest.get("caller") ?? new Undefined("No caller defined"));
    rest.delete("caller");
  }
  if (special.kwargs) values.set("kwargs", new Dict(rest));
  else if (rest.size > 0) {
    const [first = ""] = rest.keys();
    throw new TemplateError(`macro '${macroName}' takes no keyword argument '${first}'`);
  }
  const extra = positional.slice(parameters.length);
  if (special.varargs) values.set("varargs", new Tuple(extra));
  else if (extra.length > 0) {
    throw new TemplateError(
      `macro '${macroName}' takes not more than ${parameters.length} argument(s)`,
    );
  }
  return values;
}

/** A scope with the values of a call; defaults may use the parameters before them. */
function scopeOfCall(node: MacroNode, special: Special, given: Arguments, frame: Frame): Scope {
  const scope = new Scope(frame.scope);
  const values = bindMacro(node, special, given);
  for (const [name, value] of values) scope.set(name, value);
  for (const { name, fallback } of node.parameters) {
    if (values.get(name) !== undefined) continue;
    const value =
      fallback === undefined
        ? new Undefined(`parameter '${name}' was not provided`)
        : evaluate(fallback, { ...frame, scope });
    scope.set(name, value);
  }
  return scope;
}

/**
 * A macro as a function that gives the text of its body.
 * @param write - Gives the text that a body writes in a frame.
 */
export function makeMacro(
  node: MacroNode,
  frame: Frame,
  write: (body: Body, frame: Frame) => string,
): Callable {
  const special = specialNames(node);
  const attributes = new Map<string, Value>([
    ["name", node.name ?? null],
    ["arguments", new Tuple(node.parameters.map(({ name }) => name))],
    ["catch_kwargs", special.kwargs],
    ["catch_varargs", special.varargs],
    ["caller", special.caller],
  ]);
  const name = node.name === undefined ? "anonymous" : `'${node.name}'`;
  return new Callable(
    node.name ?? "caller",
    (given) => write(node.body, { ...frame, scope: scopeOfCall(node, special, given, frame) }),
    `<Macro ${name}>`,
    attributes,
  );
}
