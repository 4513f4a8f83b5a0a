import { getAttribute, getItem } from "./attributes.ts";
import { Budget } from "./budget.ts";
import { executeBody } from "./execute.ts";
import { FILTERS } from "./filters.ts";
import { FromJavaScript } from "./from-javascript.ts";
import { GLOBALS } from "./globals.ts";
import { isFilterName, isTestName } from "./names.ts";
import { Output } from "./output.ts";
import { parseTemplate } from "./parse-template.ts";
import { Scope } from "./scope.ts";
import { TemplateError } from "./template-error.ts";
import { TESTS } from "./tests.ts";
import type { Run, Value } from "./values.ts";

export interface RenderOptions {
  /** The time that `strftime_now` writes. @default the time of the call */
  readonly now?: Date;
}

function makeRun(budget: Budget, now: Date): Run {
  const run: Run = {
    budget,
    now,
    getAttribute: (value, name) => getAttribute(run, value, name),
    getItem: (value, index) => getItem(run, value, index),
    callFilter: (name, value, given) => {
      if (!isFilterName(name)) throw new TemplateError(`No filter named '${name}' found.`);
      budget.spend(1);
      return FILTERS[name](run, value, given);
    },
    callTest: (name, value, given) => {
      if (!isTestName(name)) throw new TemplateError(`No test named '${name}' found.`);
      budget.spend(1);
      return TESTS[name](run, value, given);
    },
  };
  return run;
}

function toValues(variables: Readonly<Record<string, unknown>>): {
  values: [string, Value][];
  count: number;
} {
  const from = new FromJavaScript();
  const given = Object.entries(variables).filter(([, value]) => value !== undefined);
  const values = given.map(([name, value]): [string, Value] => [name, from.convert(value, name)]);
  return { values, count: from.count };
}

/** Characters of a template; the longest that models are published with have 20,000. */
const MAX_SOURCE = 400_000;

function render(
  source: string,
  variables: Readonly<Record<string, unknown>>,
  { now = new Date() }: RenderOptions,
): string {
  if (source.length > MAX_SOURCE) {
    throw new TemplateError(`it has ${source.length} characters, more than ${MAX_SOURCE}`);
  }
  const body = parseTemplate(source);
  const { values, count } = toValues(variables);
  const run = makeRun(new Budget(count), now);
  const scope = new Scope(new Scope(undefined, [...GLOBALS, ...values]));
  const out = new Output(run.budget);
  executeBody(body, { run, scope, top: scope }, out);
  return out.text;
}

/**
 * Renders a template in Jinja as Python's transformers does: with its sandbox (nothing is changed,
 * no underscores), without escaping, with `trim_blocks` and `lstrip_blocks`, `break` and `continue`,
 * `raise_exception`, `strftime_now` and its `tojson`. Values are written as Python writes them.
 *
 * @param variables - Texts, numbers, booleans, null, lists and plain objects of them by name.
 * @throws TemplateError for a template or values that Python refuses, and for what is not rendered
 * here: both name it. It never takes longer than its size and that of the values allows.
 */
export function renderTemplate(
  source: string,
  variables: Readonly<Record<string, unknown>>,
  options: RenderOptions = {},
): string {
  try {
    return render(source, variables, options);
  } catch (error) {
    // A full stack or a text that is too long: limits of the machine before those of the budget.
    if (!(error instanceof RangeError)) throw error;
    throw new TemplateError(`it nests too deep or writes too much: ${error.message}`, {
      cause: error,
    });
  }
}
