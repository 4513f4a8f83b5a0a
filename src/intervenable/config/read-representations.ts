import { FunctionIntervention, type InterventionFunction } from "../../interventions/function.ts";
import { Intervention, type InterventionClass } from "../../interventions/intervention.ts";
import { fail } from "../../interventions/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { didYouMean } from "../../base/nearest.ts";
import type {
  Representation,
  RepresentationConfig,
  RepresentationLike,
  SourceSiteConfig,
} from "./representation-config.ts";

/** The order of fields in rows and on disk. */
const FIELDS = [
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

const NAMES: ReadonlySet<string> = new Set([
  ...FIELDS,
  "keepLastDim",
  "embedDim",
  "interchangeDim",
  "source",
]);
const SOURCE_NAMES: ReadonlySet<string> = new Set(["layer", "component", "unit", "moeKey"]);
/** A mark in pyvene's files, whose constants are kept beside them. */
const UNSUPPORTED = "hiddenSourceRepresentation";

type Fields = RepresentationConfig & { readonly [UNSUPPORTED]?: unknown };

const OP = "IntervenableConfig";

/** Representations from number `first` on, after those of `before`. */
export function readRepresentations(
  list: readonly RepresentationLike[],
  first: number,
  interventionTypes: InterventionClass | readonly InterventionClass[] | undefined,
  before: readonly Representation[] = [],
): readonly Representation[] {
  const fields = list.map((given, i) => readFields(given, first + i));
  const kinds = kindsOf(fields, interventionTypes);
  const proposals = new Map<string, number>();
  for (const { key } of before) {
    const proposal = key.slice(0, key.lastIndexOf("#"));
    proposals.set(proposal, (proposals.get(proposal) ?? 0) + 1);
  }
  return fields.map((field, i) => toRepresentation(field, kinds[i], proposals));
}

function readFields(given: RepresentationLike, index: number): Fields {
  const where = `representation ${index}`;
  if (typeof given !== "object" || given === null) {
    fail(OP, `${where} must be an object such as { layer: 0, component: "mlp_output" }`);
  }
  const fields = Array.isArray(given) ? fromRow(given, where) : (given as Fields);
  for (const [name, value] of Object.entries(fields)) {
    if (!NAMES.has(name)) fail(OP, `${where} has no field ${name}; ${didYouMean(name, NAMES)}`);
    if (name !== UNSUPPORTED || value === undefined || value === null || value === false) continue;
    fail(OP, `${where}: ${name} is not supported; give the constant as sourceRepresentation`);
  }
  if (fields.source !== undefined) checkSource(fields.source, where);
  checkText(where, "component", fields.component);
  checkText(where, "unit", fields.unit);
  checkNumber(where, "layer", fields.layer, 0);
  checkNumber(where, "moeKey", fields.moeKey, 0);
  checkNumber(where, "embedDim", fields.embedDim, 1);
  checkNumber(where, "maxNumberOfUnits", fields.maxNumberOfUnits, 1);
  checkNumber(where, "groupKey", fields.groupKey, -Infinity);
  checkNumber(where, "lowRankDimension", fields.lowRankDimension, 1);
  checkNumber(where, "latentDim", fields.latentDim, 1);
  return fields;
}

function checkSource(source: unknown, where: string): void {
  if (typeof source !== "object" || source === null || source instanceof Tensor) {
    fail(
      OP,
      `${where}: source says where a source is read, such as { layer: 0, component: "mlp_output" }; ` +
        `a constant is given as sourceRepresentation`,
    );
  }
  for (const name of Object.keys(source)) {
    if (SOURCE_NAMES.has(name)) continue;
    fail(OP, `${where}: source has no field ${name}; ${didYouMean(name, SOURCE_NAMES)}`);
  }
  const { layer, component, unit, moeKey } = source as SourceSiteConfig;
  checkNumber(`${where}, source`, "layer", layer, 0);
  checkNumber(`${where}, source`, "moeKey", moeKey, 0);
  checkText(`${where}, source`, "component", component);
  checkText(`${where}, source`, "unit", unit);
}

function checkText(where: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === "string") return;
  fail(OP, `${where}: ${name} must be a string, got ${typeof value}`);
}

function fromRow(row: readonly unknown[], where: string): Fields {
  if (row.length > FIELDS.length) {
    fail(OP, `${where} has ${row.length} entries, but there are ${FIELDS.length} fields`);
  }
  const given = row.map((value, i) => [FIELDS[i], value]).filter(([, value]) => value !== null);
  return Object.fromEntries(given) as Fields;
}

function checkNumber(where: string, name: string, value: unknown, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) return;
  const wanted = least === -Infinity ? "a whole number" : `a whole number of ${least} or more`;
  fail(OP, `${where}: ${name} must be ${wanted}, got ${JSON.stringify(value)}`);
}

type Kind = Intervention | InterventionClass;

/** What each representation does: what it says itself, or what is said for all. */
function kindsOf(
  fields: readonly Fields[],
  forAll: InterventionClass | readonly InterventionClass[] | undefined,
): readonly (Kind | undefined)[] {
  const own = fields.map(ownKind);
  const defaults = Array.isArray(forAll) ? (forAll as readonly InterventionClass[]) : undefined;
  if (defaults !== undefined && defaults.length !== fields.length) {
    fail(OP, `${defaults.length} interventionTypes for ${fields.length} representations`);
  }
  if (forAll === undefined && own.includes(undefined) && own.some((kind) => kind !== undefined)) {
    fail(
      OP,
      `representation ${own.indexOf(undefined)} says no intervention, but others do; give each one`,
    );
  }
  const single = defaults === undefined ? (forAll as InterventionClass | undefined) : undefined;
  return own.map((kind, i) => {
    const found = kind ?? single ?? defaults?.[i];
    if (found !== undefined && !isKind(found)) {
      fail(OP, "interventionTypes must be intervention classes");
    }
    return found;
  });
}

function ownKind({ intervention, interventionType }: Fields, index: number): Kind | undefined {
  const where = `representation ${index}`;
  if (intervention !== undefined && interventionType !== undefined) {
    fail(OP, `${where}: give intervention or interventionType, and not both`);
  }
  const given: unknown = intervention ?? interventionType;
  if (given === undefined || isKind(given)) return given;
  if (typeof given === "function" && interventionType === undefined && !isClass(given)) {
    return new FunctionIntervention(given as InterventionFunction);
  }
  return fail(
    OP,
    `${where}: expected an Intervention, a class that extends Intervention, or a function ` +
      `(base, source, subspaces) => Tensor, got ${isClass(given) ? `the class ${(given as { name: string }).name}` : typeof given}`,
  );
}

function isKind(value: unknown): value is Kind {
  if (value instanceof Intervention) return true;
  return typeof value === "function" && (value.prototype as unknown) instanceof Intervention;
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

function toRepresentation(
  fields: Fields,
  intervention: Kind | undefined,
  proposals: Map<string, number>,
): Representation {
  const { layer = 0, component = "block_output", unit = "pos", maxNumberOfUnits = 1 } = fields;
  const { subspacePartition, sourceRepresentation, keepLastDim, lowRankDimension, latentDim } =
    fields;
  const { embedDim, interchangeDim } = fields;
  const at = component.includes(".")
    ? `comp_${component.replaceAll(".", "_")}`
    : `layer_${layer}_comp_${component}`;
  const proposal = `${at}_unit_${unit.replaceAll(".", "_")}_nunit_${maxNumberOfUnits}`;
  const count = proposals.get(proposal) ?? 0;
  proposals.set(proposal, count + 1);
  return {
    key: `${proposal}#${count}`,
    layer,
    component,
    unit,
    maxNumberOfUnits,
    source: fields.source,
    moeKey: fields.moeKey,
    groupKey: fields.groupKey,
    interventionLinkKey: fields.interventionLinkKey,
    intervention,
    options: {
      embedDim,
      interchangeDim,
      subspacePartition,
      sourceRepresentation,
      keepLastDim,
      lowRankDimension,
      latentDim,
    },
  };
}
