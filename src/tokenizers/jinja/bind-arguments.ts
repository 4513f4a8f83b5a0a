import { TemplateError } from "./template-error.ts";
import type { Arguments, Value } from "./values.ts";

/** A parameter's name, and its value where it may be left out. */
export type ParameterSpec = readonly [name: string, fallback?: Value];

/**
 * The values of a function's parameters.
 * @throws TemplateError when one is missing, given twice, or not known.
 */
export function bindArguments(
  callee: string,
  parameters: readonly ParameterSpec[],
  { positional, named }: Arguments,
): Value[] {
  if (positional.length > parameters.length) {
    throw new TemplateError(
      `${callee}() takes ${parameters.length} arguments but ${positional.length} were given`,
    );
  }
  for (const name of named.keys()) {
    const at = parameters.findIndex(([known]) => known === name);
    if (at === -1) {
      throw new TemplateError(`${callee}() got an unexpected keyword argument '${name}'`);
    }
    if (at < positional.length) {
      throw new TemplateError(`${callee}() got multiple values for argument '${name}'`);
    }
  }
  return parameters.map(([name, fallback], i) => {
    if (i < positional.length) return positional[i] ?? null;
    const value = named.has(name) ? named.get(name) : fallback;
    if (value !== undefined) return value;
    throw new TemplateError(`${callee}() missing 1 required argument: '${name}'`);
  });
}
