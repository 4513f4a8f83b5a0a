import { shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import type { Generator } from "../tensor/random/generator.ts";
import type { Sampler } from "./datasets.ts";
import type { EquivalenceClasses } from "./equivalence-classes.ts";
import { sampleBalanced, sampleInput, sampleSet, valuesFor } from "./sampling.ts";
import { type Structure, type Values, variableOf } from "./structure.ts";

/** Who draws inputs, by name or as a function. */
export function readSampler(
  structure: Structure,
  classes: EquivalenceClasses,
  op: string,
  sampler: unknown,
): Sampler {
  if (typeof sampler === "function") return sampler as Sampler;
  if (sampler === "balanced") return (asked) => sampleBalanced(structure, classes, op, asked);
  if (sampler === "uniform") return (asked) => sampleInput(structure, op, asked);
  return fail(op, `sampler must be "uniform", "balanced" or a function, got ${shown(sampler)}`);
}

/** Who draws interventions: one of the sets that were named, or any variables inside. */
export function readInterventions(
  structure: Structure,
  op: string,
  sets: unknown,
  inside: readonly string[],
): (generator: Generator) => Values {
  if (sets === undefined) {
    return (generator) => valuesToSet(structure, op, sampleSet(op, inside, generator), generator);
  }
  if (!Array.isArray(sets) || sets.length === 0) {
    fail(op, `interventions must be lists of variables, [["A"], ["A", "B"]], got ${shown(sets)}`);
  }
  const lists = sets.map((set: unknown) => readSet(structure, op, set));
  return (generator) =>
    valuesToSet(structure, op, lists[generator.integer(lists.length)] ?? [], generator);
}

/** Values that sources should give; undefined where none can be drawn, and any will do. */
function valuesToSet(
  structure: Structure,
  op: string,
  names: readonly string[],
  generator: Generator,
): Values {
  const drawn = names.filter((name) => variableOf(structure, op, name).domain.canDraw);
  const none = Object.fromEntries(names.map((name) => [name, undefined]));
  return { ...none, ...valuesFor(structure, op, drawn, generator) };
}

function readSet(structure: Structure, op: string, set: unknown): readonly string[] {
  if (!Array.isArray(set) || set.length === 0) {
    fail(op, `each of the interventions must be a list of variables, ["A"], got ${shown(set)}`);
  }
  for (const name of set) variableOf(structure, op, name);
  return set as readonly string[];
}
