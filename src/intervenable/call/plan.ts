import { fail } from "../../interventions/errors.ts";
import { allWhole, isDivided, type UnitAxes, withWhole } from "../sites/axes.ts";
import { BatchRows } from "../units/batch-rows.ts";
import type { Mode } from "../config/config.ts";
import {
  type Level,
  type Located,
  type PlannedLocations,
  planLocations,
  type UnitLocations,
} from "../units/locations.ts";
import { entriesOf, show } from "../units/each.ts";
import { type Rows, Selection } from "../units/selection.ts";
import { type EditedRows, planRows } from "./rows.ts";
import { type GivenSources, planSources, type SourcePlan } from "./sources.ts";
import type { Target } from "../sites/target.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What a call says about its interventions. */
export interface PlanOptions extends GivenSources {
  /** Which units are read and edited. @default whole tensors */
  readonly unitLocations?: UnitLocations | null | undefined;
  /** Which dimensions of a unit are changed: for all interventions, or `{ each }`. */
  readonly subspaces?: unknown;
  /** How far edits go, in all rows or in each. @default 1 */
  readonly strength?: number | readonly number[] | undefined;
  /** Take learned masks as decided. @default false */
  readonly hard?: boolean | undefined;
  /** Which rows of the batch are edited. @default all */
  readonly rows?: EditedRows | null | undefined;
  /** What interventions get as `context.extra`, by names of the caller's own. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  /** The model's token for padding, to notice rows that are padded while no mask says so. */
  readonly padTokenId?: number | undefined;
}

/** One intervention in one call. */
export interface Action extends Target {
  /** Where its source comes from. */
  readonly source: SourcePlan;
  /** The units read in the source run, and those edited; undefined for the whole tensor. */
  readonly reads: Selection | undefined;
  /** The units that it edits; undefined for the whole tensor. */
  readonly edits: Selection | undefined;
  /** Which dimensions of a unit it changes. */
  readonly subspaces: unknown;
  /**
   * How far the edit goes: 1 for what the intervention says; of each row, [batch], or [1] in steps that are
   * traced once.
   */
  readonly strength: number | Tensor;
  /** Whether it is to take what it learned to some degree as decided. */
  readonly hard: boolean;
  /** Which rows of the batch it edits; undefined for all. */
  readonly rows: readonly boolean[] | undefined;
  /** What it gets as `context.extra`. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** One forward pass: what is edited in it, and what is read after the edits. */
export interface Run {
  /** What messages call it: "base", "source 0". */
  readonly name: string;
  /** The arguments of the model's `forward`. */
  readonly inputs: unknown;
  /** Interventions that edit this run, in order of declaration. */
  readonly edits: readonly Action[];
  /** Interventions that read their sources in this run. */
  readonly reads: readonly Action[];
  /** How many positions are read without edits before the rest. @default 0 */
  readonly prefix?: number;
}

/** All that one call does, in order; nothing has been traced. */
export interface Plan {
  /** The runs that sources are read in, in order. */
  readonly sources: readonly Run[];
  /** The run that is edited, whose output is the intervened one. */
  readonly base: Run;
}

const OP = "IntervenableModel";
const NOTHING: Readonly<Record<string, unknown>> = {};

/**
 * Says what a call with these arguments does.
 * @throws InterventionError for arguments that contradict each other, or an edit that could never be made.
 */
export function makePlan(
  targets: readonly Target[],
  mode: Mode,
  base: unknown,
  options: PlanOptions,
): Plan {
  const sources = planSources(targets, options);
  const places = located(targets, mode, base, sources, options.padTokenId);
  const locations = planLocations(options.unitLocations, mode, places);
  const subspaces = subspacesOf(options.subspaces, targets);
  const batches = places.map(({ base: { batch } }) => batch?.rows);
  const strength = strengthsOf(options.strength, targets, batches);
  const rows = planRows(options.rows, targets, batches);
  const actions = targets.map((target, i): Action => {
    const source = sources.get(target.name) ?? { kind: "none" };
    const { source: from = null, base: to = null }: Partial<PlannedLocations> =
      locations.get(target.name) ?? {};
    checkSides(target, source, from, to);
    const { source: read, base: edited } = places[i] ?? {};
    const edits = select(target.name, target.axes, to, edited?.batch?.rows ?? 1);
    checkUnits(target, edits);
    return {
      ...target,
      source,
      reads: select(target.name, target.sourceAxes, from, read?.batch?.rows ?? 1),
      edits,
      subspaces: subspaces[i],
      strength,
      hard: options.hard ?? false,
      rows: rows[i],
      extra: options.extra ?? NOTHING,
    };
  });
  const active = actions.filter(({ source }) => source.kind !== "skip");
  if (mode === "parallel") return parallelPlan(active, base);
  return serialPlan(active, Math.max(...targets.map(({ group }) => group)), base);
}

/**
 * A plan with other tensors in the place of sources, for the same base and the same places: which is all
 * that differs from step to step of a schedule.
 *
 * @returns undefined where the two differ in more than these tensors.
 * @throws InterventionError for tensors that {@link makePlan} refuses.
 */
export function planAgain(
  { sources, base }: Plan,
  targets: readonly Target[],
  given: GivenSources,
): Plan | undefined {
  const plans = planSources(targets, given);
  const skipped = [...plans.values()].filter(({ kind }) => kind === "skip");
  if (sources.length > 0 || base.edits.length + skipped.length !== targets.length) return undefined;
  const edits = base.edits.flatMap((edit): Action[] => {
    const source = plans.get(edit.name);
    return source?.kind === edit.source.kind ? [{ ...edit, source }] : [];
  });
  return edits.length === base.edits.length ? { sources, base: { ...base, edits } } : undefined;
}

/** Of all rows, or of each. @throws InterventionError where they are not as many as the rows that are edited. */
function strengthsOf(
  given: PlanOptions["strength"],
  targets: readonly Target[],
  batches: readonly (number | undefined)[],
): number | Tensor {
  if (!Array.isArray(given)) return strengthOf(given as number | undefined, targets);
  const strengths = given.map((each: number, row) => strengthOf(each, targets, ` in row ${row}`));
  const batch = batches.find((rows) => rows !== undefined && rows !== strengths.length);
  if (batch === undefined) return tensor(strengths);
  return fail(
    OP,
    `strength has ${strengths.length} numbers, but the batch has ${batch} rows; give one for each row, or one ` +
      "for all",
  );
}

/** @throws InterventionError for what is no finite number, and where nothing is edited. */
export function strengthOf(
  strength: number | undefined,
  targets: readonly Target[],
  where = "",
): number {
  if (strength === undefined) return 1;
  if (typeof strength !== "number" || !Number.isFinite(strength)) {
    fail(OP, `strength must be a finite number, got ${show(strength)}${where}`);
  }
  if (targets.some(({ intervention }) => !intervention.collects)) return strength;
  return fail(OP, "strength is given, but all interventions collect and edit nothing");
}

function located(
  targets: readonly Target[],
  mode: Mode,
  base: unknown,
  sources: ReadonlyMap<string, SourcePlan>,
  padTokenId: number | undefined,
): readonly Located[] {
  const baseRows = new BatchRows(base, "base", padTokenId);
  const last = Math.max(...targets.map(({ group }) => group));
  const sourceRows = new Map<number, BatchRows>();
  for (const { name, group } of targets) {
    const plan = sources.get(name);
    if (plan?.kind !== "run" || sourceRows.has(group)) continue;
    sourceRows.set(group, new BatchRows(plan.inputs, `source ${group}`, padTokenId));
  }
  return targets.map(({ name, group, axes, sourceAxes }) => ({
    name,
    group,
    source: {
      axes: sourceAxes.selected,
      batch: sources.get(name)?.kind === "run" ? sourceRows.get(group) : undefined,
    },
    base: {
      axes: axes.selected,
      batch: mode === "parallel" || group === last ? baseRows : sourceRows.get(group + 1),
    },
  }));
}

/** The units at places of which some axes may be taken whole; undefined for a whole tensor. */
function select(
  name: string,
  axes: UnitAxes,
  levels: readonly Level[] | null,
  batch: number,
): Selection | undefined {
  if (levels === null) {
    // All of a part of a tensor, or of its heads, and not the tensor that other parts are in too.
    return isDivided(axes) ? new Selection(allWhole(axes), []) : undefined;
  }
  let whole = axes;
  const rows = levels.flatMap((level, i): Rows[] => {
    if (level !== "all") return [level];
    const size = axes.selected[i]?.size;
    if (size !== undefined) {
      const every = Array.from({ length: size }, (_, at) => at);
      return [Array.from({ length: batch }, () => every)];
    }
    const taken = withWhole(whole, i);
    if (taken === undefined) {
      fail(OP, `${name}: "all" is known for the last axis only; list the places of axis ${i}`);
    }
    whole = taken;
    return [];
  });
  return new Selection(whole, rows);
}

/** Interventions that see the units of a row as one vector are made for a number of them. */
function checkUnits(
  { name, intervention, unitDim: width }: Target,
  edits: Selection | undefined,
): void {
  const { concatenatesUnits, keepLastDim, embedDim } = intervention;
  if (edits === undefined || edits.levels.length === 0 || !concatenatesUnits || keepLastDim) return;
  const kind = intervention.constructor.name;
  const counts = edits.levels[0]?.map((row) => row.length) ?? [];
  if (edits.ragged) {
    fail(
      OP,
      `${name}: ${kind} sees the units of a row as one vector, but rows have ${counts.join(", ")} of them; ` +
        `give all rows as many`,
    );
  }
  const [units = 0] = counts;
  if (embedDim === undefined || width === undefined || units * width === embedDim) return;
  fail(
    OP,
    `${name}: ${kind} is made for vectors of ${embedDim}, but ${units} units of ${width} make ` +
      `${units * width}; set maxNumberOfUnits to ${units}, or give other places`,
  );
}

/** Whole tensors on one side and units on the other cannot be what was meant. */
function checkSides({ name }: Target, source: SourcePlan, from: unknown, to: unknown): void {
  if (source.kind !== "run" || (from === null) === (to === null)) return;
  const [missing, given] = from === null ? ["source", "base"] : ["base", "source"];
  fail(
    OP,
    `${name}: locations say what to take of the ${given}, but not of the ${missing}; write ` +
      `{ "sources->base": { source: 3, base: 5 } }`,
  );
}

/**
 * What each intervention is told. Numbers, a list of numbers and lists for each row hold for all, as
 * locations do; `{ each: [...] }` has an entry for each one.
 */
function subspacesOf(given: unknown, targets: readonly Target[]): readonly unknown[] {
  if (Array.isArray(given) && !given.every(isNumber) && !given.every(isNumbers)) {
    fail(
      OP,
      `subspaces: a list has numbers, or one list of numbers for each row, got ${show(given)}; say what ` +
        `each intervention is told as { each: [...] }`,
    );
  }
  return entriesOf(
    OP,
    given,
    "subspaces",
    targets.map(({ name }) => name),
  );
}

function isNumber(value: unknown): boolean {
  return typeof value === "number";
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(isNumber);
}

function parallelPlan(active: readonly Action[], base: unknown): Plan {
  // The same inputs given for several groups are traced once.
  const readers = new Map<unknown, Action[]>();
  for (const action of active) {
    if (action.source.kind !== "run") continue;
    const { inputs } = action.source;
    readers.set(inputs, [...(readers.get(inputs) ?? []), action]);
  }
  const sources = [...readers].map(([inputs, reads]) => ({
    name: `source ${reads[0]?.group ?? 0}`,
    inputs,
    edits: [],
    reads,
  }));
  return { sources, base: { name: "base", inputs: base, edits: active, reads: [] } };
}

/** Each group edits the run of the next group's source; the last one edits the base. */
function serialPlan(active: readonly Action[], last: number, base: unknown): Plan {
  const sources: Run[] = [];
  for (let group = 0; group <= last; group++) {
    const edits = active.filter((action) => action.group === group - 1);
    const reads = active.filter((a) => a.group === group && a.source.kind === "run");
    const source = reads[0]?.source;
    if (source?.kind === "run") {
      sources.push({ name: `source ${group}`, inputs: source.inputs, edits, reads });
    } else if (edits.length > 0) {
      fail(
        OP,
        `${edits.map(({ name }) => name).join(", ")}: in serial mode it edits the run of source ${group}, ` +
          `which is not given, so it would do nothing`,
      );
    }
  }
  const edits = active.filter(({ group }) => group === last);
  return { sources, base: { name: "base", inputs: base, edits, reads: [] } };
}
