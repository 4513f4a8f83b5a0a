import { describeValue } from "../base/describe-value.ts";
import { Parameter } from "../nn/parameter.ts";
import { fail } from "../base/errors.ts";
import { requireKnownOptions } from "../base/known-options.ts";

/** What every optimiser can be told. */
export interface OptimizerOptions {
  /** Learning rate. */
  lr: number;
}

/** Parameters that share options; the options may be changed between steps. */
export type ParameterGroup<O extends OptimizerOptions> = O & {
  /** The parameters that these options are for. */
  readonly parameters: readonly Parameter[];
  /** The learning rate that schedules scale, once there is a schedule. */
  initialLr?: number;
};

/** Parameters, or groups of them with options of their own. */
export type Parameters<O extends OptimizerOptions> = Iterable<
  Parameter | (Partial<O> & { readonly parameters: Iterable<Parameter> })
>;

/**
 * All options of an optimiser.
 * @throws TsveneError for one that it does not have.
 */
export function withDefaults<O extends OptimizerOptions>(
  name: string,
  defaults: O,
  options: Partial<O>,
): O {
  requireKnownOptions(name, options, defaults);
  return { ...defaults, ...options };
}

/** Groups with all their options, from either way of giving them. */
export function parameterGroups<O extends OptimizerOptions>(
  name: string,
  given: Parameters<O>,
  defaults: O,
): ParameterGroup<O>[] {
  if (given === null || typeof given !== "object" || !(Symbol.iterator in given)) {
    fail(name, `expected model.parameters() or a list, got ${describeValue(given)}`);
  }
  const single: Parameter[] = [];
  const groups: ParameterGroup<O>[] = [];
  for (const entry of given) {
    if (entry instanceof Parameter) {
      single.push(entry);
      continue;
    }
    if (!("parameters" in entry)) {
      fail(name, "expected a Parameter or a group { parameters, ... }; a tensor cannot change");
    }
    requireKnownOptions(name, entry, { ...defaults, parameters: true, initialLr: true });
    groups.push({ ...defaults, ...entry, parameters: [...entry.parameters] });
  }
  if (single.length > 0 && groups.length > 0) {
    fail(name, "expected parameters or groups { parameters, ... }, got both; put all in groups");
  }
  if (single.length > 0) groups.push({ ...defaults, parameters: single });
  checkParameters(
    name,
    groups.flatMap((g) => g.parameters),
  );
  return groups;
}

function checkParameters(name: string, parameters: readonly Parameter[]): void {
  if (parameters.length === 0) {
    fail(name, "there are no parameters; pass model.parameters() or a list");
  }
  const seen = new Set<Parameter>();
  for (const parameter of parameters) {
    if (!(parameter instanceof Parameter)) {
      fail(name, "a group's parameters must be of the class Parameter; a tensor cannot change");
    }
    if (seen.has(parameter)) {
      const { name: label = `a parameter of shape [${parameter.shape.join(", ")}]` } = parameter;
      fail(name, `${label} is given twice; each parameter belongs in one group, once`);
    }
    seen.add(parameter);
  }
}
