import {
  Intervention,
  type InterventionClass,
  type InterventionOptions,
} from "../interventions/intervention.ts";
import { FunctionIntervention, type InterventionFunction } from "../interventions/function.ts";
import { fail } from "../tensor/errors.ts";
import { didYouMean } from "./nearest.ts";

/** Whether sources are all read from the clean model, or each from the model as the last one left it. */
export type Mode = "parallel" | "serial";

/** Where to intervene, and with what. */
export interface RepresentationConfig extends Omit<
  InterventionOptions,
  "embedDim" | "interchangeDim"
> {
  /** Number of the layer, from 0. Not used when `component` is a module path. @default 0 */
  readonly layer?: number;
  /**
   * Name of a component of the model's family, such as "mlp_output", or a module path that ends in
   * `.input` or `.output`, such as "transformer.h[0].mlp.output". @default "block_output"
   */
  readonly component?: string;
  /** What locations count: "pos", "h" (heads), "h.pos", or a name for dimension 1. @default "pos" */
  readonly unit?: string;
  /** Units that are taken together; the width of a trained intervention grows with it. @default 1 */
  readonly maxNumberOfUnits?: number;
  /** What to do: an intervention, a class of interventions, or a function. */
  readonly intervention?: Intervention | InterventionClass | InterventionFunction;
  /** A class of interventions; the same as giving the class as `intervention`. */
  readonly interventionType?: InterventionClass;
  /** Interventions with equal keys read from the same source. @default one group each */
  readonly groupKey?: number;
  /** Interventions with equal keys are one intervention, with the same parameters. */
  readonly interventionLinkKey?: number | string;
}

/** The fields of a {@link RepresentationConfig} in a row: layer, component, unit, units, .... */
export type PositionalRepresentation = readonly [number, string?, ...unknown[]];

/** A configuration with all that can be said. */
export interface IntervenableOptions {
  readonly representations: RepresentationConfig | readonly RepresentationLike[];
  /** @default "parallel" */
  readonly mode?: Mode;
  /** The class, or one for each, of representations that name none. @default VanillaIntervention */
  readonly interventionTypes?: InterventionClass | readonly InterventionClass[];
}

export type RepresentationLike = RepresentationConfig | PositionalRepresentation;

/** All spellings of a configuration. */
export type IntervenableConfigLike =
  IntervenableConfig | IntervenableOptions | RepresentationConfig | readonly RepresentationLike[];

/** A representation with nothing left open. */
export interface Representation {
  readonly key: string;
  readonly layer: number;
  readonly component: string;
  readonly unit: string;
  readonly maxNumberOfUnits: number;
  readonly groupKey: number | undefined;
  readonly interventionLinkKey: number | string | undefined;
  /** What to do; undefined where the default class is meant. */
  readonly intervention: Intervention | InterventionClass | undefined;
  /** What an intervention of a class is built with, but for its dimensions. */
  readonly options: InterventionOptions;
}

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

const NAMES: ReadonlySet<string> = new Set([...FIELDS, "keepLastDim"]);
const UNSUPPORTED = ["moeKey", "hiddenSourceRepresentation"] as const;

type Fields = RepresentationConfig & { readonly [K in (typeof UNSUPPORTED)[number]]?: unknown };

/**
 * Where to intervene and how, for any model: a list of representations and a mode. Whatever takes a
 * configuration also takes the plain objects that this class is made from.
 *
 * @example
 * ```ts
 * import { CollectIntervention, IntervenableConfig, ZeroIntervention } from "tsvene";
 * const config = new IntervenableConfig([
 *   { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
 *   { layer: 2, component: "block_output", intervention: CollectIntervention },
 * ]);
 * console.log(config.representations.map(({ key }) => key));
 * ```
 */
export class IntervenableConfig {
  /** In order of declaration, which is the order in which edits at one place are made. */
  readonly representations: readonly Representation[];
  readonly mode: Mode;

  /** @throws TensorError for what is unknown or contradicts itself. */
  constructor(config: Exclude<IntervenableConfigLike, IntervenableConfig>) {
    const options = asOptions(config);
    const { mode = "parallel", interventionTypes, representations } = options;
    if (mode !== "parallel" && mode !== "serial") {
      fail(OP, `mode must be "parallel" or "serial", got ${JSON.stringify(mode)}`);
    }
    this.mode = mode;
    const list = Array.isArray(representations) ? representations : [representations];
    if (list.length === 0) fail(OP, "expected at least one representation");
    const fields = (list as readonly RepresentationLike[]).map(readFields);
    const kinds = kindsOf(fields, interventionTypes);
    const proposals = new Map<string, number>();
    this.representations = fields.map((field, i) => toRepresentation(field, kinds[i], proposals));
  }
}

const OP = "IntervenableConfig";

function asOptions(
  config: Exclude<IntervenableConfigLike, IntervenableConfig>,
): IntervenableOptions {
  if (Array.isArray(config)) {
    if (typeof config[0] === "number") {
      fail(OP, 'a representation in a row must stand in a list: [[0, "block_output"]]');
    }
    return { representations: config as readonly RepresentationLike[] };
  }
  if (typeof config !== "object" || config === null) {
    fail(OP, `expected a representation or a list of them, got ${String(config)}`);
  }
  if (!("representations" in config)) return { representations: config };
  const known = ["representations", "mode", "interventionTypes"];
  for (const name of Object.keys(config)) {
    if (!known.includes(name)) fail(OP, `there is no setting ${name}; ${didYouMean(name, known)}`);
  }
  return config;
}

function readFields(given: RepresentationLike, index: number): Fields {
  const where = `representation ${index}`;
  if (typeof given !== "object" || given === null) {
    fail(OP, `${where} must be an object such as { layer: 0, component: "mlp_output" }`);
  }
  const fields = Array.isArray(given) ? fromRow(given, where) : (given as Fields);
  for (const [name, value] of Object.entries(fields)) {
    if (!NAMES.has(name)) fail(OP, `${where} has no field ${name}; ${didYouMean(name, NAMES)}`);
    if (value === undefined || value === null || value === false) continue;
    if ((UNSUPPORTED as readonly string[]).includes(name)) {
      fail(OP, `${where}: ${name} is not supported`);
    }
  }
  checkNumber(where, "layer", fields.layer, 0);
  checkNumber(where, "maxNumberOfUnits", fields.maxNumberOfUnits, 1);
  checkNumber(where, "groupKey", fields.groupKey, -Infinity);
  checkNumber(where, "lowRankDimension", fields.lowRankDimension, 1);
  checkNumber(where, "latentDim", fields.latentDim, 1);
  return fields;
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
  forAll: IntervenableOptions["interventionTypes"],
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
    groupKey: fields.groupKey,
    interventionLinkKey: fields.interventionLinkKey,
    intervention,
    options: { subspacePartition, sourceRepresentation, keepLastDim, lowRankDimension, latentDim },
  };
}
