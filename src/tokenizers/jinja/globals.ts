import { bindArguments } from "./bind-arguments.ts";
import { indexArgument, textArgument } from "./convert-arguments.ts";
import { Cycler, Joiner, Namespace, pairsOf } from "./namespace.ts";
import { print } from "./print.ts";
import { strftime } from "./strftime.ts";
import { refuse, TemplateError } from "./template-error.ts";
import { type Arguments, Callable, Dict, Range, type Run, type Value } from "./values.ts";

/** Jinja's sandbox makes no longer ones. */
const MAX_RANGE = 100_000;

function range({ positional, named }: Arguments): Range {
  if (named.size > 0) throw new TemplateError("range() takes no keyword arguments");
  if (positional.length === 0 || positional.length > 3) {
    throw new TemplateError("range expected 1 to 3 arguments");
  }
  const [first = 0, second, step = 1] = positional.map((value) => indexArgument(value, "range"));
  if (step === 0) throw new TemplateError("range() arg 3 must not be zero");
  const made = second === undefined ? new Range(0, first, 1) : new Range(first, second, step);
  if (made.length <= MAX_RANGE) return made;
  throw new TemplateError(
    `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`,
  );
}

function raiseException(given: Arguments, run: Run): never {
  const [message = null] = bindArguments("raise_exception", [["message"]], given);
  throw new TemplateError(print(run, message));
}

/** Names that every template knows: Jinja's, and those that transformers adds. */
const FUNCTIONS: Readonly<Record<string, (given: Arguments, run: Run) => Value>> = {
  range,
  dict: (given, run) => new Dict(pairsOf(run, given)),
  namespace: (given, run) => new Namespace(run, given),
  cycler: (given) => new Cycler(given),
  joiner: (given) => new Joiner(bindArguments("joiner", [["sep", ", "]], given)[0] ?? ", "),
  lipsum: () => refuse("lipsum()"),
  raise_exception: raiseException,
  strftime_now: (given, run) => {
    const [format = null] = bindArguments("strftime_now", [["format"]], given);
    return strftime(textArgument(format, "strftime_now"), run.now);
  },
};

/** How Python prints those of its own. */
const PRINTED: Readonly<Record<string, string>> = {
  dict: "<class 'dict'>",
  namespace: "<class 'jinja2.utils.Namespace'>",
  cycler: "<class 'jinja2.utils.Cycler'>",
  joiner: "<class 'jinja2.utils.Joiner'>",
};

export const GLOBALS: ReadonlyMap<string, Value> = new Map(
  Object.entries(FUNCTIONS).map(([name, call]) => [name, new Callable(name, call, PRINTED[name])]),
);
