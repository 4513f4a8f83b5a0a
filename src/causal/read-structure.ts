import { describeValue, shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../base/known-options.ts";
import { didYouMean } from "../base/nearest.ts";
import { childrenOf, longestWays, type Parents, requireRising } from "./order.ts";
import type { Compute, Structure, Variable } from "./structure.ts";
import type { CausalModelOptions } from "./types.ts";
import { VariableDomain } from "./variable-domain.ts";

const OP = "CausalModel";
const OPTIONS: OptionNames<CausalModelOptions<object>> = {
  values: true,
  parents: true,
  functions: true,
  timesteps: true,
  preimages: true,
  encoders: true,
};

/** The options as they come, from JavaScript too. */
type Options = { readonly [K in keyof typeof OPTIONS]?: unknown };

/**
 * Checks the parts of a causal model, and puts its variables into order: by timestep, and those of one
 * timestep by name.
 * @throws TsveneError for parts that do not fit.
 */
export function readStructure(options: Options): Structure {
  requireKnownOptions(OP, options, OPTIONS);
  const values = byName(options.values, "values");
  const names = Object.keys(values).sort();
  if (names.length === 0) fail(OP, "values has no variables; give { A: [false, true], ... }");
  if (names.includes("__proto__")) fail(OP, "a variable cannot be called __proto__");
  const parents = readParents(options.parents, names);
  const functions = byName(options.functions, "functions", names);
  const children = childrenOf(parents);
  const longest = longestWays(OP, parents);
  const timesteps = readTimesteps(options.timesteps, names, parents) ?? longest;
  const preimages = readFunctions(options.preimages, "preimages", names);
  const encoders = readFunctions(options.encoders, "encoders", names);
  const variables = names.map((name): Variable => {
    const list = parents.get(name) ?? [];
    return {
      name,
      domain: new VariableDomain(name, values[name]),
      parents: list,
      children: children.get(name) ?? [],
      timestep: timesteps.get(name) ?? 0,
      compute: readFunction(name, functions[name], list),
      preimage: preimages[name],
      encode: encoders[name],
    };
  });
  const isOutput = (name: string) => children.get(name)?.length === 0;
  const inOrder = variables.toSorted((a, b) => a.timestep - b.timestep);
  return {
    variables: new Map(inOrder.map((variable) => [variable.name, variable])),
    inputs: names.filter((name) => parents.get(name)?.length === 0),
    outputs: names.filter(isOutput),
  };
}

/** What was given for each variable, if it was given by name and for no other. */
function byName(
  given: unknown,
  option: string,
  names?: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    fail(OP, `${option} must be an object by variable, got ${describeValue(given)}`);
  }
  const other = names && Object.keys(given).find((name) => !names.includes(name));
  if (other !== undefined) {
    fail(
      OP,
      `${option} names ${other}, which is no variable of values; ${didYouMean(other, names ?? [])}`,
    );
  }
  // Without a prototype: a variable may be called "constructor".
  return Object.assign(Object.create(null) as object, given) as Readonly<Record<string, unknown>>;
}

function readParents(given: unknown, names: readonly string[]): Parents {
  const lists = byName(given, "parents", names);
  return new Map(names.map((name) => [name, readList(name, lists[name] ?? [], names)]));
}

function readList(name: string, list: unknown, names: readonly string[]): readonly string[] {
  if (!Array.isArray(list)) {
    fail(OP, `parents.${name} must be a list of variables, got ${shown(list)}`);
  }
  for (const [place, parent] of list.entries()) {
    if (!names.includes(parent)) {
      const advice = typeof parent === "string" ? `; ${didYouMean(parent, names)}` : "";
      fail(OP, `parents.${name} names ${shown(parent)}, which is no variable of values${advice}`);
    }
    if (list.indexOf(parent) !== place) fail(OP, `parents.${name} names ${parent} twice`);
  }
  return Object.freeze([...(list as readonly string[])]);
}

function readTimesteps(
  given: unknown,
  names: readonly string[],
  parents: Parents,
): ReadonlyMap<string, number> | undefined {
  if (given === undefined) return undefined;
  const table = byName(given, "timesteps", names);
  const timesteps = names.map((name): [string, number] => {
    const at = table[name];
    if (typeof at === "number" && Number.isFinite(at)) return [name, at];
    return fail(OP, `timesteps.${name} must be a number, got ${shown(at)}; name every variable`);
  });
  requireRising(OP, parents, new Map(timesteps));
  return new Map(timesteps);
}

function readFunction(
  name: string,
  compute: unknown,
  parents: readonly string[],
): Compute | undefined {
  if (compute === undefined && parents.length === 0) return undefined;
  const from = parents.length === 0 ? "no parents" : `the parents ${parents.join(", ")}`;
  if (typeof compute !== "function") {
    fail(OP, `functions.${name} must be a function of ${from}, got ${shown(compute)}`);
  }
  if (takesOthers(compute, parents.length)) {
    const count = `${compute.length} value${compute.length === 1 ? "" : "s"}`;
    fail(OP, `functions.${name} takes ${count}, but ${name} has ${from}`);
  }
  return compute as Compute;
}

/** Functions that take any number of values, and built-in ones, do not say how many they want. */
const ANY_NUMBER = /\.\.\.|\barguments\b|\[native code\]/;

// oxlint-disable-next-line typescript/no-unsafe-function-type -- only its text and length are read
function takesOthers(compute: Function, parents: number): boolean {
  return compute.length !== parents && !ANY_NUMBER.test(Function.prototype.toString.call(compute));
}

function readFunctions(
  given: unknown,
  option: string,
  names: readonly string[],
): Readonly<Record<string, Compute>> {
  const functions = byName(given ?? {}, option, names);
  for (const [name, made] of Object.entries(functions)) {
    if (typeof made === "function") continue;
    fail(OP, `${option}.${name} must be a function, got ${shown(made)}`);
  }
  return functions as Readonly<Record<string, Compute>>;
}
