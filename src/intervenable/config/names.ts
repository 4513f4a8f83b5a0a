import { didYouMean } from "../../base/nearest.ts";
import { fail } from "../../interventions/errors.ts";

/** What an intervention is called. */
export interface Named {
  /** Its own name, or its place, such as "layer 0 mlp_output": no two have the same. */
  readonly name: string;
  /** What pyvene's files call it, such as `layer_0_comp_mlp_output_unit_pos_nunit_1#0`. */
  readonly key: string;
}

/** What a representation is called. */
export interface Called extends Named {
  /** Whether it was given its name; otherwise the name is its place. */
  readonly isNamed: boolean;
}

/** What names are made of. */
export interface NamedPlace {
  readonly name?: string | undefined;
  readonly layer: number;
  readonly component: string;
  readonly unit: string;
  readonly maxNumberOfUnits: number;
  readonly moeKey?: number | undefined;
}

const OP = "IntervenableConfig";

/** Steps of a generation are a range by these. */
const RESERVED: readonly string[] = ["start", "end"];

/**
 * Representations with their names and keys, after those of `before`.
 * @throws InterventionError for a name that another one has, that is empty, or that has a dot.
 */
export function nameAll<T extends NamedPlace>(
  places: readonly T[],
  first: number,
  before: readonly Named[],
): readonly (T & Called)[] {
  const taken = new Set(before.map(({ name }) => name));
  for (const [i, { name }] of places.entries()) {
    if (name !== undefined) take(taken, name, `representation ${first + i}`);
  }
  const keys = new Set(before.map(({ key }) => key));
  return places.map((place) => ({
    ...place,
    isNamed: place.name !== undefined,
    name: place.name ?? free(taken, placeOf(place), (n) => (n === 0 ? "" : ` #${n + 1}`)),
    key: free(keys, keyOf(place), (n) => `#${n}`),
  }));
}

function take(taken: Set<string>, name: string, where: string): void {
  const wrong = faultOf(name);
  if (wrong !== undefined) fail(OP, `${where}: the name "${name}" ${wrong}; write another`);
  if (taken.has(name)) {
    fail(OP, `${where}: another representation is called "${name}"; names must differ`);
  }
  taken.add(name);
}

function faultOf(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.includes(".")) return "has a dot, which parts the names of parameters";
  return RESERVED.includes(name) ? "is a word of steps" : undefined;
}

/** The first of the numbered names that is not taken yet; takes it. */
function free(taken: Set<string>, name: string, suffix: (n: number) => string): string {
  let n = 0;
  while (taken.has(name + suffix(n))) n++;
  taken.add(name + suffix(n));
  return name + suffix(n);
}

/** A place in short: what a representation is called that has no name. */
export function placeOf({ layer, component, moeKey }: NamedPlace): string {
  const place = component.includes(".") ? component : `layer ${layer} ${component}`;
  return moeKey === undefined ? place : `${place} expert ${moeKey}`;
}

function keyOf({ layer, component, unit, maxNumberOfUnits }: NamedPlace): string {
  const at = component.includes(".")
    ? `comp_${component.replaceAll(".", "_")}`
    : `layer_${layer}_comp_${component}`;
  return `${at}_unit_${unit.replaceAll(".", "_")}_nunit_${maxNumberOfUnits}`;
}

/**
 * The one of that name.
 * @throws InterventionError where none is called so, with the name of one whose key it is.
 */
export function requireNamed<T extends Named>(op: string, name: string, all: readonly T[]): T {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  const keyed = all.find(({ key }) => key === name);
  if (keyed === undefined) {
    const names = all.map((one) => one.name);
    return fail(op, `there is no intervention "${name}"; ${didYouMean(name, names)}`);
  }
  return fail(op, `"${name}" is a key of pyvene's files; here it is called "${keyed.name}"`);
}
