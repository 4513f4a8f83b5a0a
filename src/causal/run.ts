import { describeValue } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { type Structure, type Values, variableOf } from "./structure.ts";

/**
 * Computes all variables; those in the setting have its values, whatever they are computed from.
 * @throws TsveneError for a setting with unknown variables or values outside the domains, for an input
 * without a value, and for a function that gives what its variable cannot be.
 */
export function run(structure: Structure, op: string, setting: unknown): Values {
  const given = readSetting(structure, op, setting);
  const total: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, { parents, domain, compute }] of structure.variables) {
    if (Object.hasOwn(given, name)) {
      total[name] = given[name];
      continue;
    }
    if (compute === undefined) {
      fail(
        op,
        `the input ${name} has no value; give { ${name}: ... }, or a default: functions.${name}`,
      );
    }
    const value = compute(...parents.map((parent) => total[parent]));
    domain.check(op, value, `functions.${name}`);
    total[name] = value;
  }
  return Object.freeze(Object.fromEntries(Object.entries(total)));
}

/** @throws TsveneError for what does not give values of variables. */
export function readSetting(structure: Structure, op: string, setting: unknown): Values {
  if (typeof setting !== "object" || setting === null || Array.isArray(setting)) {
    fail(op, `expected a setting, { ${exampleOf(structure)} }, got ${describeValue(setting)}`);
  }
  for (const [name, value] of Object.entries(setting)) {
    variableOf(structure, op, name).domain.check(op, value, "the setting");
  }
  return setting as Values;
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
  if (typeof sources !== "object" || sources === null || Array.isArray(sources)) {
    fail(op, `expected the sources by variable, { A: setting }, got ${describeValue(sources)}`);
  }
  const taken = Object.entries(sources).map(([name, source]) => {
    variableOf(structure, op, name);
    return [name, run(structure, `${op}: source of ${name}`, source)[name]] as const;
  });
  return run(structure, op, { ...readSetting(structure, op, base), ...Object.fromEntries(taken) });
}
