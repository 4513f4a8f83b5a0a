import { shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import type { Generator } from "../tensor/random/generator.ts";
import { Draws } from "./draw-until.ts";
import type { EquivalenceClasses } from "./equivalence-classes.ts";
import { readSetting, run } from "./run.ts";
import { isSame } from "../base/same-value.ts";
import { type Structure, type Values, variableOf } from "./structure.ts";

/** What a setting must be, told by all of its variables. */
export type Predicate = (total: Values) => boolean;

/** What all draws take. */
export interface Draw {
  readonly generator: Generator;
  readonly mandatory?: Predicate | undefined;
  readonly tries?: number | undefined;
}

/** Inputs whose run passes, each setting as likely as any other that does. */
export function sampleInput(
  structure: Structure,
  op: string,
  { generator, mandatory, tries }: Draw,
): Values {
  return new Draws(op, tries).until(() => {
    const inputs = valuesFor(structure, op, structure.inputs, generator);
    return mandatory === undefined || mandatory(run(structure, op, inputs)) ? inputs : undefined;
  }, "passed mandatory");
}

/** What is asked of a balanced draw. */
export interface BalancedRequest extends Draw {
  readonly variable?: string | undefined;
  readonly value?: unknown;
}

/**
 * Inputs that give a variable a value: a uniform one of its parents' settings that do, and so on for
 * each parent. Where a variable has two ways to the one asked for, both write it; what does not give
 * the value is then drawn again.
 */
export function sampleBalanced(
  structure: Structure,
  classes: EquivalenceClasses,
  op: string,
  request: BalancedRequest,
): Values {
  const { generator, mandatory, tries } = request;
  const name = request.variable ?? onlyOutput(structure, op);
  const { domain } = variableOf(structure, op, name);
  const value = request.value === undefined ? domain.draw(op, generator) : request.value;
  domain.check(op, value, "the request");
  requireSome(structure, classes, op, name, value);
  const wanted = (): string =>
    `gave ${name} = ${shown(value)}${mandatory === undefined ? "" : " and passed mandatory"}`;
  return new Draws(op, tries).until(() => {
    const way = new Map<string, unknown>();
    if (!descend({ structure, classes, op, generator, way }, name, value)) return undefined;
    const inputs = structure.inputs.map((input): [string, unknown] => [
      input,
      way.has(input) ? way.get(input) : variableOf(structure, op, input).domain.draw(op, generator),
    ]);
    const setting = Object.fromEntries(inputs);
    const total = run(structure, op, setting);
    const fits = isSame(total[name], value) && (mandatory === undefined || mandatory(total));
    return fits ? setting : undefined;
  }, wanted);
}

function onlyOutput({ outputs }: Structure, op: string): string {
  const [output, another] = outputs;
  if (output !== undefined && another === undefined) return output;
  return fail(op, `there are the outputs ${outputs.join(", ")}; say which variable to balance`);
}

/** @throws TsveneError where no setting of a variable's parents gives the value. */
function requireSome(
  structure: Structure,
  classes: EquivalenceClasses,
  op: string,
  name: string,
  value: unknown,
): void {
  const { parents, preimage } = variableOf(structure, op, name);
  if (parents.length === 0 || preimage !== undefined) return;
  if (classes.count(op, name, value) > 0) return;
  fail(op, `no setting of ${parents.join(", ")} gives ${name} = ${shown(value)}`);
}

interface Descent {
  readonly structure: Structure;
  readonly classes: EquivalenceClasses;
  readonly op: string;
  readonly generator: Generator;
  /** The variables' values so far. */
  readonly way: Map<string, unknown>;
}

/** Whether values of inputs were found that should give a variable its value. */
function descend(descent: Descent, name: string, value: unknown): boolean {
  const { structure, classes, op, generator, way } = descent;
  const { parents, preimage } = variableOf(structure, op, name);
  way.set(name, value);
  if (parents.length === 0) return true;
  const drawn =
    preimage === undefined
      ? classes.draw(op, name, value, generator)
      : readSetting(structure, op, preimage(value, generator), "the preimage");
  if (drawn === undefined) return false;
  return parents.every((parent) => {
    if (Object.hasOwn(drawn, parent)) return descend(descent, parent, drawn[parent]);
    return fail(op, `preimages.${name} gives no value of ${parent}`);
  });
}

/** Values of some variables between inputs and outputs, each of which is among them in half of the draws. */
export function sampleIntervention(
  structure: Structure,
  op: string,
  names: readonly string[],
  { generator, mandatory, tries }: Draw,
): Values {
  return new Draws(op, tries).until(() => {
    const drawn = valuesFor(structure, op, sampleSet(op, names, generator), generator);
    return mandatory === undefined || mandatory(drawn) ? drawn : undefined;
  }, "passed mandatory");
}

/** Some of the variables, at least one. */
export function sampleSet(op: string, names: readonly string[], generator: Generator): string[] {
  if (names.length === 0) {
    fail(op, "there are no variables between inputs and outputs; name those to intervene on");
  }
  for (;;) {
    const chosen = names.filter(() => generator.integer(2) === 0);
    if (chosen.length > 0) return chosen;
  }
}

/** A value for each of the variables. */
export function valuesFor(
  structure: Structure,
  op: string,
  names: readonly string[],
  generator: Generator,
): Values {
  const drawn = names.map((name) => variableOf(structure, op, name).domain.draw(op, generator));
  return Object.fromEntries(names.map((name, i) => [name, drawn[i]]));
}
