import { didYouMean } from "../../base/nearest.ts";
import { fail } from "../../interventions/errors.ts";
import type { Mode } from "../config/config.ts";
import type { Axis, AxisKind } from "../sites/axes.ts";
import type { BatchRows } from "./batch-rows.ts";
import { type EachIntervention, entriesOf, isRecord, refuseOthers, show } from "./each.ts";
import { mapRows } from "./each-row.ts";
import type { Rows } from "./selection.ts";

/**
 * One place along an axis. Negative numbers count from the end of the tensor; `"last"` is the last
 * token that `attentionMask` counts, or the last place where there is no mask.
 */
export type UnitPlace = number | "last";

/**
 * Places along one axis. One place, or a list of places, holds in all rows of the batch; where rows
 * differ it is a list of lists, one for each row; `"all"` is all places. How long a list of places is
 * never changes what it means.
 */
export type AxisPlaces =
  UnitPlace | "all" | readonly UnitPlace[] | readonly (readonly UnitPlace[])[];

/** Places by what an axis counts, such as `{ head: 1, position: 3 }` for the unit `"h.pos"`. */
export type NamedAxes = { readonly [K in AxisName]?: AxisPlaces };

/** Places along each axis of a unit in the order of its name, for axes that have no name here. */
export interface OrderedAxes {
  /** Places along the first axis of the unit's name, along the second, and so on. */
  readonly axes: readonly AxisPlaces[];
}

/** What an axis of locations can count. */
export type AxisName = Exclude<AxisKind, "other">;

/** Locations of one intervention in one run: of its only axis, or of each axis of its unit. */
export type InterventionLocations = AxisPlaces | NamedAxes | OrderedAxes;

/** Locations that differ between the source and the base; null is the whole tensor. */
export interface SourceAndBase {
  /** Where the source is read. */
  readonly source: InterventionLocations | null;
  /** Where the base is edited. */
  readonly base: InterventionLocations | null;
}

/** Locations in a source and in what it is put into: the same in both, or some for each. */
export type LocationPair = InterventionLocations | SourceAndBase;

/**
 * Which units to read and write. In parallel mode `"sources->base"`, or `base` where nothing is read
 * from a source; in serial mode one entry for each stage, `"source_0->source_1"` up to
 * `"source_1->base"`. What each of them may be is one rule:
 *
 * - a number, or `"last"`, is one place, in all rows and for all interventions;
 * - a list is places, in all rows; a list of lists has one list of places for each row of the batch;
 * - `{ head: 1, position: 3 }` are the places along each axis of a unit that has several;
 * - `{ source, base }` are places that differ between the source and the base;
 * - `{ each: [...] }` has one entry for each intervention, and `{ each: { name: ... } }` by name.
 *
 * @example
 * ```ts
 * import type { UnitLocations } from "tsvene";
 * const everywhere: UnitLocations = { base: [0, 3] }; // positions 0 and 3 of every row
 * const byRow: UnitLocations = { base: [[0], [3]] }; // 0 in the first row, 3 in the second
 * const moved: UnitLocations = { "sources->base": { source: 4, base: 5 } };
 * const head: UnitLocations = { "sources->base": { head: 1, position: 3 } }; // unit "h.pos"
 * const apart: UnitLocations = { base: { each: [3, [1, 2], null] } }; // of three interventions
 * console.log(everywhere, byRow, moved, head, apart);
 * ```
 */
export interface UnitLocations {
  /** Where sources are read and the base is edited; the same places unless given apart. */
  readonly "sources->base"?: LocationPair | EachIntervention<LocationPair>;
  /** Where the base is edited, for interventions that read no source. */
  readonly base?: InterventionLocations | EachIntervention<InterventionLocations> | null;
  readonly [stage: `source_${number}->${string}`]: LocationPair | EachIntervention<LocationPair>;
}

/** Locations along one axis, with every place a number. */
export type Level = Rows | "all";

/** Locations of one intervention, level by level; null for the whole tensor. */
export interface PlannedLocations {
  /** Where the source is read. */
  readonly source: readonly Level[] | null;
  /** Where the base is edited. */
  readonly base: readonly Level[] | null;
}

/** One side of an intervention: what its locations count, and the rows they are in. */
export interface LocatedSide {
  /** The axes that locations name, outermost first. */
  readonly axes: readonly Axis[];
  /** Undefined where there is no run. */
  readonly batch: BatchRows | undefined;
}

/** What locations are given for. */
export interface Located {
  /** Name of the intervention. */
  readonly name: string;
  /** Number of its group, from 0. */
  readonly group: number;
  /** What it reads in the source run, and what it edits. */
  readonly source: LocatedSide;
  /** What it edits. */
  readonly base: LocatedSide;
}

const OP = "unitLocations";

/**
 * Locations of each intervention, by name.
 * @throws InterventionError for everything that is malformed, padding, or of the wrong length.
 */
export function planLocations(
  given: UnitLocations | null | undefined,
  mode: Mode,
  located: readonly Located[],
): ReadonlyMap<string, PlannedLocations> {
  const none = { source: null, base: null };
  const planned = new Map<string, PlannedLocations>(located.map((one) => [one.name, none]));
  if (given === undefined || given === null) return planned;
  if (typeof given !== "object" || Array.isArray(given)) {
    fail(
      OP,
      `expected an object such as { "sources->base": 3 } or { base: 3 }, got ${show(given)}`,
    );
  }
  for (const [stage, members] of stagesOf(given, mode, located)) {
    const value = (given as Readonly<Record<string, unknown>>)[stage];
    const names = members.map(({ name }) => name);
    entriesOf(OP, value, stage, names).forEach((entry, i) => {
      const member = members[i];
      if (member === undefined) return;
      const locations = planEntry(entry, stage, member);
      checkCounts(member, locations);
      planned.set(member.name, locations);
    });
  }
  return planned;
}

/** The entries given, each with the interventions that it is for. */
function stagesOf(
  given: object,
  mode: Mode,
  located: readonly Located[],
): [stage: string, members: readonly Located[]][] {
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

const SIDES: readonly string[] = ["source", "base"];

function planEntry(
  entry: unknown,
  stage: string,
  { name, source, base }: Located,
): PlannedLocations {
  if (stage === "base") return { source: null, base: planSide(entry, `${stage}, ${name}`, base) };
  if (isRecord(entry) && SIDES.some((side) => side in entry)) {
    refuseOthers(OP, entry, SIDES, `${stage}, ${name}`);
    const missing = SIDES.find((side) => entry[side] === undefined);
    if (missing !== undefined) {
      fail(OP, `${stage}, ${name}: ${missing} is missing; null there takes the whole tensor`);
    }
    return {
      source: planSide(entry["source"], `${stage}, ${name}, source`, source),
      base: planSide(entry["base"], `${stage}, ${name}, base`, base),
    };
  }
  // Places for both sides say nothing of one that is not run.
  const both = (side: LocatedSide, which: string): readonly Level[] | null =>
    side.batch ? planSide(entry, `${stage}, ${name}, ${which}`, side) : null;
  return { source: both(source, "source"), base: both(base, "base") };
}

/** Locations on one side of an intervention, axis by axis. */
function planSide(given: unknown, where: string, side: LocatedSide): readonly Level[] | null {
  if (given === null) return null;
  if (given === undefined) fail(OP, `${where}: got undefined; null takes the whole tensor`);
  const { axes, batch } = side;
  if (isRecord(given)) {
    return byAxis(given, where, axes).map((places, i) =>
      levelOf(places, axes.length === 1 ? where : `${where}, axis ${i}`, axes[i], batch),
    );
  }
  if (given === "all") return axes.map(() => given);
  if (axes.length === 1) return [levelOf(given, where, axes[0], batch)];
  return fail(
    OP,
    `${where}: there are ${axes.length} axes, so ${show(given)} does not say which; write ${axesAsked(axes)}`,
  );
}

/** The places along each axis, in the order of the axes. */
function byAxis(
  given: Readonly<Record<string, unknown>>,
  where: string,
  axes: readonly Axis[],
): readonly unknown[] {
  if ("axes" in given) {
    refuseOthers(OP, given, ["axes"], where);
    const list = given["axes"];
    if (Array.isArray(list) && list.length === axes.length) return list;
    const got = Array.isArray(list) ? `got ${list.length}` : `got ${show(list)}`;
    return fail(
      OP,
      `${where}: axes must be a list with places for each of ${axes.length} axes, ${got}`,
    );
  }
  for (const outer of ["each", ...SIDES]) {
    if (!(outer in given)) continue;
    fail(OP, `${where}: ${show(given)} is not places; ${OUTER}`);
  }
  refuseOthers(OP, given, axes.map(nameOf), where);
  return axes.map((axis) => {
    const places = given[nameOf(axis)];
    if (places !== undefined) return places;
    return fail(
      OP,
      `${where}: ${nameOf(axis)} is missing; write ${axesAsked(axes)}, where "all" takes all of an axis`,
    );
  });
}

const OUTER =
  `write { "sources->base": { source: 3, base: 5 } }, and for several interventions ` +
  `{ "sources->base": { each: [{ source: 3, base: 5 }, 2] } }`;

/** Axes that no name is known for are given in order. */
function nameOf({ kind }: Axis): string {
  return kind === "other" ? "axes" : kind;
}

function axesAsked(axes: readonly Axis[]): string {
  const named = axes.every(({ kind }) => kind !== "other");
  if (!named) return `{ axes: [${axes.map((_, i) => i + 1).join(", ")}] }`;
  return `{ ${axes.map((axis, i) => `${nameOf(axis)}: ${i + 1}`).join(", ")} }`;
}

function levelOf(
  given: unknown,
  where: string,
  axis: Axis | undefined,
  batch: BatchRows | undefined,
): Level {
  if (given === "all") return given;
  return placed(rowsOf(given, where, batch), where, axis, batch);
}

type Places = readonly (readonly UnitPlace[])[];

function rowsOf(given: unknown, where: string, batch: BatchRows | undefined): Places {
  if (!Array.isArray(given)) {
    if (isPlace(given)) return inAllRows([given], batch);
    return fail(
      OP,
      `${where}: expected places; a place is "last" or a whole number, got ${show(given)}`,
    );
  }
  const list: readonly unknown[] = given;
  if (!list.some((entry) => Array.isArray(entry))) {
    if (list.length === 0) refuseEmpty(where);
    return inAllRows(checkPlaces(list, where), batch);
  }
  return checkRows(list, where, batch);
}

function inAllRows(places: readonly UnitPlace[], batch: BatchRows | undefined): Places {
  return Array.from({ length: batch?.rows ?? 1 }, () => places);
}

function checkRows(rows: readonly unknown[], where: string, batch: BatchRows | undefined): Places {
  if (rows.some((row) => Array.isArray(row) && row.some((entry) => Array.isArray(entry)))) {
    fail(
      OP,
      `${where}: lists of places for each row are nested two deep, got ${show(rows)}; give several ` +
        `interventions as { each: [...] }, axes as { head: 1, position: 3 }, source and base as ` +
        `{ source, base }, or read pyvene's lists with fromPyveneLocations`,
    );
  }
  if (batch !== undefined && rows.length !== batch.rows) {
    fail(
      OP,
      `${where}: locations for ${rows.length} rows, but the batch has ${batch.rows}; give one list for ` +
        `each row, or one list of places that holds for all rows, and source and base as { source, base }`,
    );
  }
  const checked = rows.map((row, i) => {
    if (Array.isArray(row)) return checkPlaces(row, `${where}, row ${i}`);
    return fail(OP, `${where}, row ${i}: expected a list of places, got ${show(row)}`);
  });
  if (checked.every((row) => row.length === 0)) refuseEmpty(where);
  return checked;
}

function refuseEmpty(where: string): never {
  return fail(OP, `${where}: there is no place; give null to take the whole tensor`);
}

function checkPlaces(row: readonly unknown[], where: string): readonly UnitPlace[] {
  return row.map((place) => {
    if (isPlace(place)) return place;
    const hint =
      place === null ? "; write { source, base }, where null takes the whole tensor" : "";
    return fail(OP, `${where}: a place is "last" or a whole number, got ${show(place)}${hint}`);
  });
}

function isPlace(value: unknown): value is UnitPlace {
  return Number.isSafeInteger(value) || value === "last";
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
  // Rows that are given together mean the same where nothing says what is padding.
  const map = text?.isMasked(counts) === true ? mapEachRow : mapRows;
  return map(rows, (row, i) =>
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

function mapEachRow(
  rows: Places,
  map: (row: readonly UnitPlace[], index: number) => readonly number[],
): Rows {
  return rows.map(map);
}

/** Source and base must have as many units, where both are given. */
function checkCounts({ name }: Located, { source, base }: PlannedLocations): void {
  if (source?.length !== base?.length) return;
  for (const [level, from] of (source ?? []).entries()) {
    const to = base?.[level];
    if (from === "all" || to === "all" || to === undefined) continue;
    // A single row of a source serves all rows.
    const rows = Math.max(from.length, to.length);
    for (let row = 0; row < rows; row++) {
      if (row > 0 && from[row] === from[row - 1] && to[row] === to[row - 1]) continue;
      const [f, t] = [from, to].map((r) => (r[row] ?? r[0])?.length ?? 0);
      if (f === t) continue;
      const where = rows === 1 ? "" : `row ${row}: `;
      fail(OP, `${name}: ${where}${f} places in the source, but ${t} in the base; give as many`);
    }
  }
}
