import { fail } from "../tensor/errors.ts";
import type { Mode } from "./config.ts";
import { didYouMean } from "./nearest.ts";
import type { Rows } from "./selection.ts";

/** Locations of one intervention: [batch][unit], or one such list each for the two of "h.pos". */
export type InterventionLocations =
  readonly (readonly number[])[] | readonly (readonly (readonly number[])[])[];

/**
 * Locations in one run: one place for all (or some, for all), or [intervention][batch][unit], null
 * where an intervention takes the whole tensor.
 */
export type LocationSide =
  number | readonly number[] | readonly (InterventionLocations | null)[] | null;

/**
 * Locations in the source and in the base. A number, or a list of them, holds for both; exactly two
 * numbers are one place in the source and one in the base.
 */
export type LocationPair = number | readonly number[] | readonly [LocationSide, LocationSide];

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

/** Locations of one intervention, level by level; null for the whole tensor. */
export interface PlannedLocations {
  readonly source: readonly Rows[] | null;
  readonly base: readonly Rows[] | null;
}

/** What locations are given for. */
export interface Located {
  readonly key: string;
  /** Number of axes that its unit has. */
  readonly levels: number;
  readonly group: number;
  /** Rows of what it reads, and of what it edits; undefined where there is none. */
  readonly sourceBatch: number | undefined;
  readonly baseBatch: number | undefined;
}

const OP = "unitLocations";

/**
 * Locations of each intervention, by key.
 * @throws TensorError for everything that is malformed, ragged or of the wrong length.
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
  if (typeof value === "number") return [value, value];
  if (!Array.isArray(value)) {
    return fail(
      OP,
      `"${name}" must be a place, a list of places or [source, base], got ${show(value)}`,
    );
  }
  const list = value as unknown[];
  if (list.length === 2) return [list[0], list[1]];
  if (list.length > 0 && list.every((entry) => typeof entry === "number")) return [list, list];
  return fail(
    OP,
    `"${name}" must be a place, a list of places or [source, base], got a list of ${list.length}`,
  );
}

function planSides(
  [source, base]: readonly [unknown, unknown],
  name: string,
  members: readonly Located[],
): [string, PlannedLocations][] {
  const sources = planSide(source, `${name}, source side`, members, "sourceBatch");
  const bases = planSide(base, `${name}, base side`, members, "baseBatch");
  return members.map((member, i) => {
    const locations = { source: sources[i] ?? null, base: bases[i] ?? null };
    checkCounts(member, locations);
    return [member.key, locations];
  });
}

/** Locations on one side, for each intervention. */
function planSide(
  side: unknown,
  where: string,
  members: readonly Located[],
  batch: "sourceBatch" | "baseBatch",
): (readonly Rows[] | null)[] {
  if (side === null || side === undefined) return members.map(() => null);
  const forAll = asPlaces(side);
  if (forAll !== undefined) {
    const row = checkRow(forAll, where);
    return members.map((member) => uniform(row, where, member, member[batch]));
  }
  if (!Array.isArray(side)) return fail(OP, `${where}: expected places, got ${show(side)}`);
  if (side.length !== members.length) {
    fail(
      OP,
      `${where}: there are entries for ${side.length} interventions, but ${members.length} were wanted: ` +
        members.map(({ key }) => key).join(", "),
    );
  }
  return members.map((member, i) => {
    const entry = side[i] as unknown;
    return entry === null
      ? null
      : checkEntry(entry, `${where}, ${member.key}`, member, member[batch]);
  });
}

/** One place, or some places, for all rows of all interventions. */
function asPlaces(side: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(side)) return typeof side === "object" ? undefined : [side];
  const flat = side.length > 0 && side.every((entry) => !Array.isArray(entry) && entry !== null);
  return flat ? (side as unknown[]) : undefined;
}

function uniform(
  row: readonly number[],
  where: string,
  { key, levels }: Located,
  batch: number | undefined,
): readonly Rows[] | null {
  if (batch === undefined) return null;
  if (levels !== 1) {
    fail(
      OP,
      `${where}: ${key} has two axes, so ${show(row)} does not say which; write [[heads], [positions]] ` +
        `with one list a row for each, such as [[[[0, 3]], [[5]]]] for a batch of 1`,
    );
  }
  return [Array.from({ length: batch }, () => row)];
}

function checkEntry(
  entry: unknown,
  where: string,
  { levels }: Located,
  batch: number | undefined,
): readonly Rows[] {
  if (!Array.isArray(entry)) fail(OP, `${where}: expected [batch][unit], got ${show(entry)}`);
  if (levels === 1) return [checkRows(entry as unknown[], where, batch)];
  if (entry.length !== levels) {
    fail(OP, `${where}: expected one list for each of ${levels} axes, got ${entry.length}`);
  }
  return entry.map((level: unknown, i) => {
    if (!Array.isArray(level)) {
      fail(OP, `${where}, axis ${i}: expected [batch][unit], got ${show(level)}`);
    }
    return checkRows(level as unknown[], `${where}, axis ${i}`, batch);
  });
}

function checkRows(rows: readonly unknown[], where: string, batch: number | undefined): Rows {
  if (batch !== undefined && rows.length !== batch) {
    fail(
      OP,
      `${where}: locations for ${rows.length} rows, but the batch has ${batch}; give one list for each row`,
    );
  }
  const checked = rows.map((row, i) => {
    if (Array.isArray(row)) return checkRow(row as unknown[], `${where}, row ${i}`);
    return fail(OP, `${where}, row ${i}: expected a list of places, got ${show(row)}`);
  });
  const counts = new Set(checked.map((row) => row.length));
  if (counts.size > 1) {
    fail(
      OP,
      `${where}: rows have ${checked.map((row) => row.length).join(", ")} places; all rows need the same ` +
        `number. Run rows with other numbers in a batch of their own`,
    );
  }
  return checked;
}

function checkRow(row: readonly unknown[], where: string): readonly number[] {
  if (row.length === 0) fail(OP, `${where}: there is no place; give null to take the whole tensor`);
  for (const place of row) {
    if (Number.isSafeInteger(place)) continue;
    fail(OP, `${where}: a place is a whole number, got ${show(place)}`);
  }
  return [...row] as number[];
}

/** Source and base must have as many units, where both are given. */
function checkCounts({ key, levels }: Located, { source, base }: PlannedLocations): void {
  if (source === null || base === null) return;
  for (let level = 0; level < levels; level++) {
    const [from = 0, to = 0] = [source[level]?.[0]?.length, base[level]?.[0]?.length];
    if (from === to) continue;
    fail(OP, `${key}: ${from} places in the source, but ${to} in the base; give as many`);
  }
}

function show(value: unknown): string {
  return typeof value === "number" || value === undefined ? String(value) : JSON.stringify(value);
}
