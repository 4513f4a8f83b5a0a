import { fail } from "../../interventions/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { BatchRows } from "./batch-rows.ts";
import type { Axis } from "../sites/axes.ts";
import type { Mode } from "../config/config.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Rows } from "./selection.ts";

/**
 * One place along an axis. Negative numbers count from the end of the tensor; `"last"` is the last
 * token that `attentionMask` counts, or the last place where there is no mask.
 */
export type UnitPlace = number | "last";

/** Places along one axis, [batch][unit]; the same one in every row; or all of them. */
export type AxisPlaces = readonly (readonly UnitPlace[])[] | "last" | "all";

/** Locations of one intervention: of its axis, or one entry for each axis of "h.pos". */
export type InterventionLocations = AxisPlaces | readonly AxisPlaces[];

/**
 * Locations in one run: one place for all (or some, for all), or [intervention][batch][unit], null
 * where an intervention takes the whole tensor.
 */
export type LocationSide =
  AxisPlaces | UnitPlace | readonly UnitPlace[] | readonly (InterventionLocations | null)[] | null;

/**
 * Locations in the source and in the base. A number, or a list of them, holds for both; exactly two
 * numbers are one place in the source and one in the base.
 */
export type LocationPair =
  UnitPlace | "all" | readonly UnitPlace[] | readonly [LocationSide, LocationSide];

/**
 * Which units to read and write. In parallel mode `"sources->base"`, or `base` where nothing is read
 * from a source; in serial mode one entry for each stage, `"source_0->source_1"` up to
 * `"source_1->base"`. Negative positions count from the end.
 */
export interface UnitLocations {
  readonly "sources->base"?: LocationPair;
  readonly base?: LocationSide;
  readonly [stage: `source_${number}->${string}`]: LocationPair;
}

/** Locations along one axis, with every place a number. */
export type Level = Rows | "all";

/** Locations of one intervention, level by level; null for the whole tensor. */
export interface PlannedLocations {
  readonly source: readonly Level[] | null;
  readonly base: readonly Level[] | null;
}

/** One side of an intervention: what its locations count, and the rows they are in. */
export interface LocatedSide {
  readonly axes: readonly Axis[];
  /** Undefined where there is no run. */
  readonly batch: BatchRows | undefined;
}

/** What locations are given for. */
export interface Located {
  readonly key: string;
  readonly group: number;
  /** What it reads in the source run, and what it edits. */
  readonly source: LocatedSide;
  readonly base: LocatedSide;
}

const OP = "unitLocations";

/**
 * Locations of each intervention, by key.
 * @throws InterventionError for everything that is malformed, padding, or of the wrong length.
 */
export function planLocations(
  given: UnitLocations | null | undefined,
  mode: Mode,
  located: readonly Located[],
): ReadonlyMap<string, PlannedLocations> {
  const none = { source: null, base: null };
  const planned = new Map<string, PlannedLocations>(located.map(({ key }) => [key, none]));
  if (given === undefined || given === null) return planned;
  if (typeof given !== "object" || Array.isArray(given)) {
    fail(
      OP,
      `expected an object such as { "sources->base": 3 } or { base: 3 }, got ${show(given)}`,
    );
  }
  for (const [name, members] of stagesOf(given, mode, located)) {
    const value = (given as Readonly<Record<string, unknown>>)[name];
    const sides: readonly [unknown, unknown] =
      name === "base" ? [null, value] : asPair(value, name);
    for (const [key, locations] of planSides(sides, name, members)) planned.set(key, locations);
  }
  return planned;
}

/** The entries given, each with the interventions that it is for. */
function stagesOf(
  given: object,
  mode: Mode,
  located: readonly Located[],
): [name: string, members: readonly Located[]][] {
  const stages = new Map(mode === "parallel" ? parallelStages(located) : serialStages(located));
  const names = Object.keys(given);
  for (const name of names) {
    if (stages.has(name)) continue;
    fail(OP, `there is no "${name}" in ${mode} mode; ${didYouMean(name, stages.keys())}`);
  }
  if (mode === "parallel" && names.length !== 1) {
    fail(OP, `give "sources->base" or "base", and exactly one of them`);
  }
  return names.map((name) => [name, stages.get(name) ?? []]);
}

function parallelStages(located: readonly Located[]): [string, readonly Located[]][] {
  return [
    ["sources->base", located],
    ["base", located],
  ];
}

function serialStages(located: readonly Located[]): [string, readonly Located[]][] {
  const groups = Math.max(...located.map(({ group }) => group)) + 1;
  return Array.from({ length: groups }, (_, g) => {
    const to = g === groups - 1 ? "base" : `source_${g + 1}`;
    return [`source_${g}->${to}`, located.filter(({ group }) => group === g)];
  });
}

function asPair(value: unknown, name: string): readonly [unknown, unknown] {
  if (typeof value === "number" || typeof value === "string") return [value, value];
  if (!Array.isArray(value)) {
    return fail(
      OP,
      `"${name}" must be a place, a list of places or [source, base], got ${show(value)}`,
    );
  }
  const list = value as unknown[];
  if (list.length === 2) return [list[0], list[1]];
  if (list.length > 0 && list.every(isPlace)) return [list, list];
  return fail(
    OP,
    `"${name}" must be a place, a list of places or [source, base], got a list of ${list.length}`,
  );
}

function isPlace(value: unknown): value is UnitPlace {
  return Number.isSafeInteger(value) || value === "last";
}

function planSides(
  [source, base]: readonly [unknown, unknown],
  name: string,
  members: readonly Located[],
): [string, PlannedLocations][] {
  const sources = planSide(source, `${name}, source side`, members, "source");
  const bases = planSide(base, `${name}, base side`, members, "base");
  return members.map((member, i) => {
    const locations = { source: sources[i] ?? null, base: bases[i] ?? null };
    checkCounts(member, locations);
    return [member.key, locations];
  });
}

/** Locations on one side, for each intervention. */
function planSide(
  given: unknown,
  where: string,
  members: readonly Located[],
  side: "source" | "base",
): (readonly Level[] | null)[] {
  if (given === null || given === undefined) return members.map(() => null);
  const forAll = asPlaces(given);
  if (forAll !== undefined) {
    const row = forAll === "all" ? forAll : checkRow(forAll, where);
    return members.map((member) => uniform(row, where, member.key, member[side]));
  }
  if (!Array.isArray(given)) return fail(OP, `${where}: expected places, got ${show(given)}`);
  if (given.length !== members.length) {
    fail(
      OP,
      `${where}: there are entries for ${given.length} interventions, but ${members.length} were wanted: ` +
        members.map(({ key }) => key).join(", "),
    );
  }
  return members.map((member, i) => {
    const entry = given[i] as unknown;
    return entry === null ? null : checkEntry(entry, `${where}, ${member.key}`, member[side]);
  });
}

/** One place, or some places, for all rows of all interventions; or all places. */
function asPlaces(side: unknown): readonly unknown[] | "all" | undefined {
  if (side === "all") return side;
  if (!Array.isArray(side)) return typeof side === "object" ? undefined : [side];
  // A list of nothing but words has an entry for each intervention.
  const flat =
    side.length > 0 &&
    side.every((entry) => !Array.isArray(entry) && entry !== null && entry !== "all") &&
    side.some((entry) => typeof entry !== "string");
  return flat ? (side as unknown[]) : undefined;
}

function uniform(
  row: readonly UnitPlace[] | "all",
  where: string,
  key: string,
  { axes, batch }: LocatedSide,
): readonly Level[] | null {
  if (batch === undefined) return null;
  const [first, ...others] = axes;
  if (others.length > 0 && row !== "all") {
    fail(
      OP,
      `${where}: ${key} has ${axes.length === 2 ? "two" : axes.length} axes, so ${show(row)} does not ` +
        `say which; write [[heads], [positions]] with one list a row for each, such as ` +
        `[[[[0, 3]], [[5]]]] for a batch of 1`,
    );
  }
  if (row === "all") return axes.map(() => "all");
  return [
    placed(
      Array.from({ length: batch.rows }, () => row),
      where,
      first,
      batch,
    ),
  ];
}

function checkEntry(entry: unknown, where: string, { axes, batch }: LocatedSide): readonly Level[] {
  if (axes.length === 1) return [checkLevel(entry, where, axes[0], batch)];
  if (entry === "all") return axes.map(() => "all");
  if (!Array.isArray(entry)) fail(OP, `${where}: expected [axis][batch][unit], got ${show(entry)}`);
  if (entry.length !== axes.length) {
    fail(OP, `${where}: expected one list for each of ${axes.length} axes, got ${entry.length}`);
  }
  return entry.map((level: unknown, i) => checkLevel(level, `${where}, axis ${i}`, axes[i], batch));
}

function checkLevel(
  level: unknown,
  where: string,
  axis: Axis | undefined,
  batch: BatchRows | undefined,
): Level {
  if (level === "all") return level;
  if (level === "last") {
    const rows = Array.from({ length: batch?.rows ?? 1 }, (): readonly ["last"] => ["last"]);
    return placed(rows, where, axis, batch);
  }
  if (!Array.isArray(level)) fail(OP, `${where}: expected [batch][unit], got ${show(level)}`);
  return placed(checkRows(level as unknown[], where, batch), where, axis, batch);
}

type Places = readonly (readonly UnitPlace[])[];

function checkRows(rows: readonly unknown[], where: string, batch: BatchRows | undefined): Places {
  if (batch !== undefined && rows.length !== batch.rows) {
    fail(
      OP,
      `${where}: locations for ${rows.length} rows, but the batch has ${batch.rows}; give one list for each row`,
    );
  }
  const checked = rows.map((row, i) => {
    if (Array.isArray(row)) return checkPlaces(row as unknown[], `${where}, row ${i}`);
    return fail(OP, `${where}, row ${i}: expected a list of places, got ${show(row)}`);
  });
  if (checked.every((row) => row.length === 0)) refuseEmpty(where);
  return checked;
}

function checkRow(row: readonly unknown[], where: string): readonly UnitPlace[] {
  return row.length === 0 ? refuseEmpty(where) : checkPlaces(row, where);
}

function refuseEmpty(where: string): never {
  return fail(OP, `${where}: there is no place; give null to take the whole tensor`);
}

function checkPlaces(row: readonly unknown[], where: string): readonly UnitPlace[] {
  for (const place of row) {
    if (isPlace(place)) continue;
    fail(OP, `${where}: a place is "last" or a whole number, got ${show(place)}`);
  }
  return [...row] as UnitPlace[];
}

/** Places as numbers; none of them may be padding. */
function placed(
  rows: Places,
  where: string,
  axis: Axis | undefined,
  batch: BatchRows | undefined,
): Rows {
  const isInText = axis?.kind === "position" || axis?.kind === "key";
  const [text, counts] = [isInText ? batch : undefined, axis?.counts ?? "other"];
  return rows.map((row, i) =>
    row.map((place) => {
      if (place === "last") return text?.lastOf(i, counts) ?? -1;
      const mask = text?.maskOf(i, place, counts);
      if (mask === undefined) return place;
      return fail(
        OP,
        `${where}, row ${i}: position ${place} is padding, which ${mask} leaves out; "last" is the ` +
          `last position that it counts`,
      );
    }),
  );
}

/** Source and base must have as many units, where both are given. */
function checkCounts({ key }: Located, { source, base }: PlannedLocations): void {
  if (source?.length !== base?.length) return;
  for (const [level, from] of (source ?? []).entries()) {
    const to = base?.[level];
    if (from === "all" || to === "all" || to === undefined) continue;
    // A single row of a source serves all rows.
    const rows = Math.max(from.length, to.length);
    for (let row = 0; row < rows; row++) {
      const [f, t] = [from, to].map((r) => (r[row] ?? r[0])?.length ?? 0);
      if (f === t) continue;
      const where = rows === 1 ? "" : `row ${row}: `;
      fail(OP, `${key}: ${where}${f} places in the source, but ${t} in the base; give as many`);
    }
  }
}

function show(value: unknown): string {
  if (value instanceof Tensor) return "a Tensor; give the numbers in it";
  return typeof value === "number" || value === undefined ? String(value) : JSON.stringify(value);
}
