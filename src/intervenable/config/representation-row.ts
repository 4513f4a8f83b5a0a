import { fail } from "../../interventions/errors.ts";
import type { RepresentationConfig } from "./representation-config.ts";

/** What pyvene has of a representation, in the order of its rows. */
const COLUMNS = [
  "layer",
  "component",
  "unit",
  "maxNumberOfUnits",
  "lowRankDimension",
  "interventionType",
  "intervention",
  "subspacePartition",
  "groupKey",
  "interventionLinkKey",
  "moeKey",
  "sourceRepresentation",
  "hiddenSourceRepresentation",
  "latentDim",
] as const;

/** Columns that are options of the class here, and no fields of a representation. */
const OPTIONS: ReadonlySet<string> = new Set([
  "lowRankDimension",
  "subspacePartition",
  "sourceRepresentation",
  "latentDim",
]);

const OP = "IntervenableConfig";

/** A row as fields, with what it says of options for its class. */
export interface RowFields extends RepresentationConfig {
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Reads a row of pyvene's fields, where `null` means that nothing is said.
 * @throws InterventionError for rows that are too long, two interventions in one, and hidden constants.
 */
export function fieldsOfRow(row: readonly unknown[], where: string): RowFields {
  if (row.length > COLUMNS.length) {
    fail(OP, `${where} has ${row.length} entries, but there are ${COLUMNS.length} fields`);
  }
  const given = row.flatMap((value, i): [string, unknown][] =>
    value === null || value === undefined ? [] : [[COLUMNS[i] ?? "", value]],
  );
  const fields = new Map(given.filter(([name]) => !OPTIONS.has(name)));
  const type = fields.get("interventionType");
  if (type !== undefined && fields.has("intervention")) {
    fail(OP, `${where}: give an intervention or the type of one, and not both`);
  }
  if (type !== undefined) fields.set("intervention", type);
  fields.delete("interventionType");
  if (fields.get("hiddenSourceRepresentation") === true) {
    fail(
      OP,
      `${where}: a constant that is kept beside the configuration is not supported; give it as ` +
        `sourceRepresentation`,
    );
  }
  fields.delete("hiddenSourceRepresentation");
  const options = given.filter(([name]) => OPTIONS.has(name)).map(asOption);
  return { ...Object.fromEntries(fields), options: Object.fromEntries(options) };
}

/** In a row, as in pyvene, a part of exactly two numbers is a range, and any other lists dimensions. */
function asOption([name, value]: [string, unknown]): [string, unknown] {
  if (name !== "subspacePartition" || !Array.isArray(value)) return [name, value];
  return [
    name,
    value.map((part: unknown) => (isPair(part) ? { from: part[0], to: part[1] } : part)),
  ];
}

function isPair(part: unknown): part is readonly [unknown, unknown] {
  return Array.isArray(part) && part.length === 2;
}
