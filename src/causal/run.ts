import { describeValue } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { type Structure, type Values, type Variable, variableOf } from "./structure.ts";

/**
 * Computes all variables; those in the setting have its values, whatever they are computed from.
 * @throws TsveneError for a setting with unknown variables or values outside the domains, for an input
 * without a value, and for a function that gives what its variable cannot be.
 */
export function run(structure: Structure, op: string, setting: unknown): Values {
  const given = readSetting(structure, op, setting);
  const total: Record<string, unknown> = {};
  for (const variable of structure.variables.values()) {
    const { name } = variable;
    total[name] = Object.hasOwn(given, name) ? given[name] : computed(variable, op, total);
  }
  return Object.freeze(total);
}

function computed(
  { name, parents, domain, compute }: Variable,
  op: string,
  total: Values,
): unknown {
  if (compute === undefined) {
    fail(
      op,
      `the input ${name} has no value; give { ${name}: ... }, or a default: functions.${name}`,
    );
  }
  const value = compute(...parents.map((parent) => total[parent]));
  domain.check(op, value, "its function");
  return value;
}

/** @throws TsveneError for what does not give values of variables. */
export function readSetting(
  structure: Structure,
  op: string,
  setting: unknown,
  who = "the setting",
): Values {
  if (typeof setting !== "object" || setting === null || Array.isArray(setting)) {
    const what = who === "the setting" ? "a setting" : `a setting from ${who}`;
    fail(op, `expected ${what}, { ${exampleOf(structure)} }, got ${describeValue(setting)}`);
  }
  const given = setting as Values;
  for (const name of Object.keys(given)) {
    variableOf(structure, op, name).domain.check(op, given[name], who);
  }
  return given;
}

function exampleOf({ inputs }: Structure): string {
  return inputs.map((name) => `${name}: ...`).join(", ");
}

/**
 * Runs the base with some variables fixed at what they are in the run of their source.
 * @throws TsveneError as {@link run} does, and for a source that is none.
 */
export function interchange(
  structure: Structure,
  op: string,
  base: unknown,
  sources: unknown,
): Values {
  return run(structure, op, withSources(structure, op, base, sources));
}

/** The base with what is taken from sources in it. */
export function withSources(
  structure: Structure,
  op: string,
  base: unknown,
  sources: unknown,
): Values {
  if (typeof sources !== "object" || sources === null || Array.isArray(sources)) {
    fail(op, `expected the sources by variable, { A: setting }, got ${describeValue(sources)}`);
  }
  const taken = Object.entries(sources).map(([name, source]) => {
    variableOf(structure, op, name);
    return [name, run(structure, `${op}: source of ${name}`, source)[name]] as const;
  });
  return { ...readSetting(structure, op, base), ...Object.fromEntries(taken) };
}
