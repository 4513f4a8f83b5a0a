import { shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { didYouMean } from "../base/nearest.ts";
import type { Generator } from "../tensor/random/generator.ts";
import type { VariableDomain } from "./variable-domain.ts";

/** Values by variable, in the layer's own words: the class knows their types. */
export type Values = Readonly<Record<string, unknown>>;

/** A function that computes a variable from its parents. */
export type Compute = (...parents: unknown[]) => unknown;

/** One variable of a causal model. */
export interface Variable {
  /** What it is called. */
  readonly name: string;
  /** The values that it takes. */
  readonly domain: VariableDomain;
  /** What it is computed from, in the order of the function's parameters. */
  readonly parents: readonly string[];
  /** In alphabetical order. */
  readonly children: readonly string[];
  /** When it is computed: after its parents. */
  readonly timestep: number;
  /** Undefined for an input without a default. */
  readonly compute: Compute | undefined;
  /** Draws values of the parents that give a value of this one. */
  readonly preimage: ((value: unknown, generator: Generator) => unknown) | undefined;
  /** What a value is in a tensor. */
  readonly encode: ((value: unknown) => unknown) | undefined;
}

/** A causal model that was checked: plain data, which all that is done with it reads. */
export interface Structure {
  /** All variables, in the order in which they are computed. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Those without parents, in alphabetical order. */
  readonly inputs: readonly string[];
  /** Those without children, in alphabetical order. */
  readonly outputs: readonly string[];
}

/** @throws TsveneError for a name that is no variable's. */
export function variableOf({ variables }: Structure, op: string, name: unknown): Variable {
  const variable = typeof name === "string" ? variables.get(name) : undefined;
  if (variable !== undefined) return variable;
  const advice = typeof name === "string" ? `; ${didYouMean(name, variables.keys())}` : "";
  return fail(op, `there is no variable ${shown(name)}${advice}`);
}
