import { fail } from "../../interventions/errors.ts";
import { type EachIntervention, show } from "./each.ts";
import type {
  AxisPlaces,
  InterventionLocations,
  LocationPair,
  UnitLocations,
  UnitPlace,
} from "./locations.ts";

const OP = "fromPyveneLocations";

/**
 * Reads `unit_locations` as pyvene writes them: a number for all, `[source, base]` with a number or
 * nested lists on each side, and lists `[intervention][batch][unit]`, or
 * `[intervention][axis][batch][unit]` for units with several axes, with null for an intervention that
 * takes the whole tensor. Between runs a list of exactly two is the source's side and the base's, as
 * it is there; any other list of numbers is places in both.
 *
 * @throws InterventionError for what pyvene does not read, or reads as something else than is written.
 *
 * @example
 * ```ts
 * import { fromPyveneLocations } from "tsvene";
 * console.log(fromPyveneLocations({ "sources->base": [4, 5] })); // { source: 4, base: 5 }
 * console.log(fromPyveneLocations({ base: [[[0], [3]]] })); // [[0], [3]]: one list for each row
 * ```
 */
export function fromPyveneLocations(given: Readonly<Record<string, unknown>>): UnitLocations {
  const { base, ...stages } = given;
  const between = Object.entries(stages).map(([stage, value]) => [stage, readStage(value, stage)]);
  const read = Object.fromEntries(between) as Omit<UnitLocations, "base">;
  return base === undefined ? read : { ...read, base: readBase(base) };
}

function readBase(
  value: unknown,
): InterventionLocations | EachIntervention<InterventionLocations> | null {
  if (value === null) return null;
  const isAlone = isList(value) && value.length === 2 && value[0] === null && isPlace(value[1]);
  const side = readSide(isAlone ? value[1] : value, "base");
  if (side.kind === "each") return entry(side.each);
  const pair = Array.isArray(side.places) && side.places.length === 2;
  if (!pair) return side.places;
  const [, last] = side.places;
  return fail(
    OP,
    `pyvene reads { base: ${JSON.stringify(value)} } as position ${String(last)} only; write ` +
      `{ base: ${String(last)} } for that, or give the list to unitLocations as it is for both positions`,
  );
}

function readStage(value: unknown, stage: string): UnitLocations["sources->base"] {
  if (!isList(value) || value.length !== 2) {
    const side = readSide(value, stage);
    if (side.kind === "forAll") return side.places;
    return fail(OP, `"${stage}" must be a place, places or [source, base], got ${show(value)}`);
  }
  const [source, base] = value.map((side) => readHalf(side, stage));
  const count = Math.max(countOf(source), countOf(base));
  if (
    count > 0 &&
    [source, base].some((side) => side?.kind === "each" && side.each.length !== count)
  ) {
    fail(OP, `"${stage}" has other numbers of interventions in the source and in the base`);
  }
  const pairs = Array.from({ length: Math.max(count, 1) }, (_, i): LocationPair | null => {
    const pair = { source: at(source, i), base: at(base, i) };
    return pair.source === null && pair.base === null ? null : pair;
  });
  return entry(pairs);
}

/** One side of `[source, base]`. */
function readHalf(value: unknown, stage: string): Side | undefined {
  if (value === null) return undefined;
  const side = readSide(value, stage);
  if (side.kind === "each" || !isList(side.places)) return side;
  return fail(
    OP,
    `"${stage}": a side is a place or nested lists in pyvene, got ${show(value)}; write ` +
      `{ source: [0, 2], base: [1, 3] } in unitLocations for several places on each side`,
  );
}

/** One side: places for all interventions, or an entry for each. */
type Side =
  | { readonly kind: "forAll"; readonly places: UnitPlace | readonly UnitPlace[] }
  | { readonly kind: "each"; readonly each: readonly (InterventionLocations | null)[] };

function countOf(side: Side | undefined): number {
  return side?.kind === "each" ? side.each.length : 0;
}

function at(side: Side | undefined, i: number): InterventionLocations | null {
  if (side === undefined) return null;
  return side.kind === "forAll" ? side.places : (side.each[i] ?? null);
}

/** What is said for a single intervention needs no list of interventions. */
function entry<T>(each: readonly (T | null)[]): T | { readonly each: readonly (T | null)[] } {
  const [only] = each;
  return each.length === 1 && only !== undefined && only !== null ? only : { each };
}

function readSide(value: unknown, stage: string): Side {
  if (isPlace(value)) return { kind: "forAll", places: value };
  if (isList(value) && value.length > 0) {
    if (value.every(isPlace)) return { kind: "forAll", places: value };
    if (value.every((one) => one === null || isList(one))) {
      return { kind: "each", each: value.map((one) => readIntervention(one, stage)) };
    }
  }
  return fail(OP, `"${stage}": expected a place or lists of them, got ${show(value)}`);
}

function readIntervention(value: unknown, stage: string): InterventionLocations | null {
  if (value === null) return null;
  if (isRows(value)) return value;
  if (isList(value) && value.every(isRows)) return { axes: value };
  return fail(
    OP,
    `"${stage}": locations of an intervention are [batch][unit] or [axis][batch][unit], got ${show(value)}`,
  );
}

function isRows(value: unknown): value is readonly (readonly UnitPlace[])[] & AxisPlaces {
  return isList(value) && value.every((row) => isList(row) && row.every(isPlace));
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
