import { fail } from "../../interventions/errors.ts";
import type { RowFields } from "../config/representation-row.ts";

/** What a key is made of, in pyvene's three ways of writing it: the newest first. */
function keysOf({
  layer = 0,
  component = "block_output",
  unit = "pos",
  maxNumberOfUnits = 1,
}: RowFields): readonly string[] {
  const isPath = component.includes(".");
  const old = (word: string): string =>
    `${isPath ? "" : `layer.${layer}.`}${word}.${component}.unit.${unit}.nunit.${maxNumberOfUnits}`;
  const name = `${isPath ? "" : `layer_${layer}_`}comp_${component.replaceAll(".", "_")}`;
  return [
    `${name}_unit_${unit.replaceAll(".", "_")}_nunit_${maxNumberOfUnits}`,
    old("comp"),
    old("repr"),
    `layer.${layer}.repr.${component}.unit.${unit}.nunit.${maxNumberOfUnits}`,
    `layer.${layer}.comp.${component}.unit.${unit}.nunit.${maxNumberOfUnits}`,
  ];
}

/** Each row's key in the file: by what it is made of, else by its place in the list. */
export function matchKeys(
  op: string,
  rows: readonly RowFields[],
  sorted: readonly unknown[] | undefined,
): string[] {
  const counts = new Map<string, number>();
  return rows.map((row, i) => {
    const [newest = "", ...older] = keysOf(row);
    const count = counts.get(newest) ?? 0;
    counts.set(newest, count + 1);
    const numbered = [newest, ...older].map((key) => `${key}#${count}`);
    const found = numbered.find((key) => sorted === undefined || sorted.includes(key));
    const key = found ?? (sorted?.length === rows.length ? sorted[i] : undefined);
    if (typeof key === "string") return key;
    return fail(op, `sorted_keys has no key for representation ${i}, ${numbered[0]}`);
  });
}
