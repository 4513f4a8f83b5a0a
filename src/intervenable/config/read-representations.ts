import { shown } from "../../base/describe-value.ts";
import { fail } from "../../interventions/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { ConfiguredIntervention } from "../../interventions/configured-intervention.ts";
import { VanillaIntervention } from "../../interventions/vanilla.ts";
import { type Called, nameAll } from "./names.ts";
import { fieldsOfRow } from "./representation-row.ts";
import {
  type InterventionKind,
  type InterventionLike,
  type Kind,
  readIntervention,
  readKind,
} from "./intervention-kind.ts";
import type {
  Representation,
  RepresentationConfig,
  RepresentationLike,
  SourceSiteConfig,
} from "./representation-config.ts";

type Check = (where: string, name: string, value: unknown) => void;
/** Every field with what it must be. */
type Fields<T> = { readonly [Name in keyof Required<T>]: Check };

const SOURCE_FIELDS: Fields<SourceSiteConfig> = {
  layer: checkNumber(0),
  component: checkText,
  unit: checkText,
  moeKey: checkNumber(0),
};

const FIELDS: Fields<RepresentationConfig> = {
  name: checkText,
  ...SOURCE_FIELDS,
  maxNumberOfUnits: checkNumber(1),
  source: checkSource,
  // Read by itself.
  intervention: () => undefined,
  groupKey: checkNumber(-Infinity),
  interventionLinkKey: checkLinkKey,
};

const OP = "IntervenableConfig";

/** A representation with what a row says of options for its class. */
interface Given {
  readonly fields: RepresentationConfig;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Representations from number `first` on, after those of `before`. */
export function readRepresentations(
  list: readonly RepresentationLike[],
  first: number,
  interventionTypes: InterventionKind | readonly InterventionKind[] | undefined,
  before: readonly Representation[] = [],
): readonly Representation[] {
  const given = list.map((entry, i) => readGiven(entry, `representation ${first + i}`));
  const kinds = kindsOf(given, first, interventionTypes);
  const unnamed = given.map(({ fields }, i) => toUnnamed(fields, kinds[i]));
  return nameAll(unnamed, first, before);
}

function readGiven(given: RepresentationLike, where: string): Given {
  if (typeof given !== "object" || given === null) {
    fail(OP, `${where} must be an object such as { layer: 0, component: "mlp_output" }`);
  }
  if (!Array.isArray(given)) {
    return { fields: checked(FIELDS, given, where), options: {} };
  }
  const { options, ...fields } = fieldsOfRow(given, where);
  return { fields: checked(FIELDS, fields, where), options };
}

function checked<T>(known: Fields<T>, given: object, where: string): object {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) refuseField(known, name, given, where);
    if (value !== undefined) known[name as keyof T](where, name, value);
  }
  return given;
}

function refuseField(known: object, name: string, given: object, where: string): never {
  const { intervention } = given as { readonly intervention?: unknown };
  const kind = intervention as { readonly name?: unknown; readonly optionNames?: object };
  if (typeof intervention === "function" && Object.hasOwn(Object(kind.optionNames), name)) {
    fail(
      OP,
      `${where} has no field ${name}, which is an option of its class; write intervention: ` +
        `${String(kind.name)}.with({ ${name}: ... })`,
    );
  }
  return fail(OP, `${where} has no field ${name}; ${didYouMean(name, Object.keys(known))}`);
}

function checkSource(where: string, _name: string, source: unknown): void {
  if (typeof source !== "object" || source === null || source instanceof Tensor) {
    fail(
      OP,
      `${where}: source says where a source is read, such as { layer: 0, component: "mlp_output" }; ` +
        `a constant is an option of the class: AdditionIntervention.with({ sourceRepresentation })`,
    );
  }
  checked(SOURCE_FIELDS, source, `${where}, source`);
}

function checkText(where: string, name: string, value: unknown): void {
  if (typeof value === "string") return;
  fail(OP, `${where}: ${name} must be a string, got ${typeof value}`);
}

function checkLinkKey(where: string, name: string, value: unknown): void {
  if (typeof value === "string" || typeof value === "number") return;
  fail(OP, `${where}: ${name} must be a number or a string, got ${shown(value)}`);
}

function checkNumber(least: number): Check {
  return (where, name, value) => {
    if (Number.isSafeInteger(value) && (value as number) >= least) return;
    const wanted = least === -Infinity ? "a whole number" : `a whole number of ${least} or more`;
    fail(OP, `${where}: ${name} must be ${wanted}, got ${shown(value)}`);
  };
}

/** What each representation does: what it says itself, or what is said for all. */
function kindsOf(
  given: readonly Given[],
  first: number,
  forAll: InterventionKind | readonly InterventionKind[] | undefined,
): readonly (Kind | undefined)[] {
  const own = given.map(({ fields: { intervention } }) => intervention);
  const defaults = Array.isArray(forAll) ? (forAll as readonly InterventionKind[]) : undefined;
  if (defaults !== undefined && defaults.length !== own.length) {
    fail(OP, `${defaults.length} interventionTypes for ${own.length} representations`);
  }
  const doesAny = first > 0 || own.some((kind) => kind !== undefined);
  if (forAll === undefined && own.includes(undefined) && doesAny) {
    fail(
      OP,
      `representation ${first + own.indexOf(undefined)} says no intervention, but others do; give each one`,
    );
  }
  const single = defaults === undefined ? (forAll as InterventionKind | undefined) : undefined;
  return given.map(({ options }, i) => {
    const where = `representation ${first + i}`;
    const found = kindOf(own[i], single ?? defaults?.[i], where);
    return withRowOptions(found, options, where);
  });
}

function kindOf(
  own: InterventionLike | undefined,
  forAll: InterventionKind | undefined,
  where: string,
): Kind | undefined {
  if (own !== undefined) return readIntervention(own, where);
  return forAll === undefined ? undefined : readKind(forAll, "interventionTypes");
}

/** Options that are given in a row, for the class that is named in it or for all. */
function withRowOptions(
  kind: Kind | undefined,
  options: Readonly<Record<string, unknown>>,
  where: string,
): Kind | undefined {
  const [option] = Object.keys(options);
  if (option === undefined) return kind;
  const { intervention, options: own } = kind ?? VANILLA;
  if (own === undefined) {
    fail(
      OP,
      `${where}: ${option} is for interventions that are given as a class; give it to the ` +
        `${intervention.constructor.name} itself`,
    );
  }
  return readKind(new ConfiguredIntervention(intervention, { ...own, ...options }), where);
}

const VANILLA: Kind = { intervention: VanillaIntervention, options: {} };

/** All but what it is called, where it was not given a name. */
type Unnamed = Omit<Representation, keyof Called> & { readonly name: string | undefined };

function toUnnamed(fields: RepresentationConfig, kind: Kind | undefined): Unnamed {
  const { layer = 0, component = "block_output", unit = "pos", maxNumberOfUnits = 1 } = fields;
  const { name, source, moeKey, groupKey, interventionLinkKey } = fields;
  const { intervention, options = {} } = kind ?? VANILLA;
  return {
    name,
    layer,
    component,
    unit,
    maxNumberOfUnits,
    source,
    moeKey,
    groupKey,
    interventionLinkKey,
    intervention,
    options,
  };
}
