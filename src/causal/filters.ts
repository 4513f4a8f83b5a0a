import { shown } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { isCount } from "../base/is-count.ts";
import { hasLivePath, longestLivePath } from "./live-paths.ts";
import { readSetting } from "./run.ts";
import { isSame } from "../base/same-value.ts";
import type { Predicate } from "./sampling.ts";
import { type Structure, type Values, variableOf } from "./structure.ts";

/** Whether variables have given values. */
export function partialFilter(structure: Structure, op: string, wanted: unknown): Predicate {
  const entries = Object.entries(readSetting(structure, op, wanted));
  return (total) => entries.every(([name, value]) => isSame(total[name], value));
}

/** Whether the longest live path has one of some numbers of variables. */
export function pathLengthFilter(structure: Structure, op: string, lengths: unknown): Predicate {
  if (!Array.isArray(lengths) || lengths.length === 0 || !lengths.every(isCount)) {
    fail(op, `expected a list of numbers of variables, got ${shown(lengths)}`);
  }
  return (total) => lengths.includes(longestLivePath(structure, op, inputsOf(structure, total)));
}

/** Whether there is a live path from one variable to another. */
export function pathFilter(
  structure: Structure,
  op: string,
  ends: readonly [string, string],
): Predicate {
  for (const name of ends) variableOf(structure, op, name);
  return (total) => hasLivePath(structure, op, inputsOf(structure, total), ends);
}

/** What is fixed of a run: paths go by the inputs alone. */
function inputsOf({ inputs }: Structure, total: Values): Values {
  return Object.fromEntries(inputs.map((name) => [name, total[name]]));
}
