import { fail } from "../../base/errors.ts";
import { groupedBy } from "./grouped.ts";
import type { AlignmentBatch, AlignmentData } from "../data/alignment-data.ts";

/** The variables that each example intervenes on, sorted. */
export function variablesByExample(
  op: string,
  data: AlignmentData,
  batchSize: number,
): readonly (readonly string[])[] {
  requireData(op, data);
  const all = Array.from({ length: data.length }, (_, example) => example);
  if (data.variables !== undefined) {
    return all.map((example) => [...(data.variables?.(example) ?? [])].sort());
  }
  const found: string[][] = [];
  for (let start = 0; start < data.length; start += batchSize) {
    found.push(...variablesIn(data.batch(all.slice(start, start + batchSize))));
  }
  return found;
}

function requireData(op: string, data: AlignmentData): void {
  const isData = typeof data === "object" && data !== null && typeof data.batch === "function";
  if (!isData || !Number.isSafeInteger(data.length)) {
    fail(
      op,
      "the second argument must be counterfactual data, { length, batch(indices) }, as promptPairs and " +
        "settingPairs make it",
    );
  }
  if (data.length === 0) fail(op, "the data has no examples");
}

function variablesIn({ indices, sources, rows }: AlignmentBatch): string[][] {
  const names = Object.keys(sources).sort();
  return indices.map((_, row) => names.filter((name) => rows?.[name]?.[row] ?? true));
}

/** Numbers of examples by the variables that they intervene on, as JSON, in the order of their first. */
export function groupedByVariables(
  variables: readonly (readonly string[])[],
): ReadonlyMap<string, readonly number[]> {
  return groupedBy(variables.keys(), (example) => JSON.stringify(variables[example]));
}
