import { fail } from "../tensor/errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Mode } from "./config.ts";
import {
  type Located,
  type PlannedLocations,
  planLocations,
  type UnitLocations,
} from "./locations.ts";
import { Selection } from "./selection.ts";
import { type GivenSources, planSources, type SourcePlan } from "./sources.ts";
import type { Target } from "./target.ts";

/** What a call says about its interventions. */
export interface PlanOptions extends GivenSources {
  readonly unitLocations?: UnitLocations | null | undefined;
  readonly subspaces?: unknown;
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/** One intervention in one call. */
export interface Action extends Target {
  readonly source: SourcePlan;
  /** The units read in the source run, and those edited; undefined for the whole tensor. */
  readonly reads: Selection | undefined;
  readonly edits: Selection | undefined;
  readonly subspaces: unknown;
  readonly extra: Readonly<Record<string, unknown>>;
}

/** One forward pass: what is edited in it, and what is read behind the edits. */
export interface Run {
  /** What messages call it: "base", "source 0". */
  readonly name: string;
  readonly inputs: unknown;
  readonly edits: readonly Action[];
  readonly reads: readonly Action[];
}

/** All that one call does, in order; nothing has been traced. */
export interface Plan {
  readonly sources: readonly Run[];
  readonly base: Run;
}

const OP = "IntervenableModel";

/**
 * Says what a call with these arguments does.
 * @throws TensorError for arguments that contradict each other, or an edit that could never be made.
 */
export function makePlan(
  targets: readonly Target[],
  mode: Mode,
  base: unknown,
  options: PlanOptions,
): Plan {
  const sources = planSources(targets, options);
  const locations = planLocations(
    options.unitLocations,
    mode,
    located(targets, mode, base, sources),
  );
  const subspaces = subspacesOf(options.subspaces, targets.length);
  const actions = targets.map((target, i): Action => {
    const source = sources.get(target.key) ?? { kind: "none" };
    const { source: from = null, base: to = null }: Partial<PlannedLocations> =
      locations.get(target.key) ?? {};
    checkSides(target, source, from, to);
    return {
      ...target,
      source,
      reads: from === null ? undefined : new Selection(target.sourceAxes, from),
      edits: to === null ? undefined : new Selection(target.axes, to),
      subspaces: subspaces[i],
      extra: options.extra ?? {},
    };
  });
  const active = actions.filter(({ source }) => source.kind !== "skip");
  if (mode === "parallel") return parallelPlan(active, base);
  return serialPlan(active, Math.max(...targets.map(({ group }) => group)), base);
}

/** Size of the batch: of the tensor, or of the first tensor among the inputs. */
export function batchOf(inputs: unknown, what: string): number {
  const tensor = [inputs instanceof Tensor ? inputs : Object.values(inputs ?? {})]
    .flat()
    .find(isTensor);
  if (tensor !== undefined && tensor.ndim > 0) return tensor.size(0);
  return fail(
    OP,
    `${what} must be a Tensor, or an object with one, whose first dimension is the batch`,
  );
}

function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

function located(
  targets: readonly Target[],
  mode: Mode,
  base: unknown,
  sources: ReadonlyMap<string, SourcePlan>,
): readonly Located[] {
  const baseBatch = batchOf(base, "base");
  const last = Math.max(...targets.map(({ group }) => group));
  const sourceBatches = new Map<number, number>();
  for (const { key, group } of targets) {
    const plan = sources.get(key);
    if (plan?.kind !== "run" || sourceBatches.has(group)) continue;
    sourceBatches.set(group, batchOf(plan.inputs, `source ${group}`));
  }
  return targets.map(({ key, group, axes }) => ({
    key,
    group,
    levels: axes.selected.length,
    sourceBatch: sources.get(key)?.kind === "run" ? sourceBatches.get(group) : undefined,
    baseBatch: mode === "parallel" || group === last ? baseBatch : sourceBatches.get(group + 1),
  }));
}

/** Whole tensors on one side and units on the other cannot be what was meant. */
function checkSides({ key }: Target, source: SourcePlan, from: unknown, to: unknown): void {
  if (source.kind !== "run" || (from === null) === (to === null)) return;
  const [missing, given] = from === null ? ["source", "base"] : ["base", "source"];
  fail(
    OP,
    `${key}: locations say what to take of the ${given}, but not of the ${missing}; write ` +
      `{ "sources->base": [source side, base side] }`,
  );
}

/** What each intervention is told: the same for all, or one entry for each. */
function subspacesOf(given: unknown, count: number): readonly unknown[] {
  if (given === undefined || given === null) return Array.from({ length: count });
  const forAll = typeof given === "number" || (Array.isArray(given) && given.every(isNumber));
  if (forAll) return Array.from({ length: count }, () => given);
  if (Array.isArray(given) && given.length === count) return given as unknown[];
  const got = Array.isArray(given) ? `a list of ${given.length}` : typeof given;
  return fail(
    OP,
    `subspaces must be a number or a list of numbers for all interventions, or a list with one entry ` +
      `for each of the ${count}, got ${got}`,
  );
}

function isNumber(value: unknown): boolean {
  return typeof value === "number";
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
        `${edits.map(({ key }) => key).join(", ")}: in serial mode it edits the run of source ${group}, ` +
          `which is not given, so it would do nothing`,
      );
    }
  }
  const edits = active.filter(({ group }) => group === last);
  return { sources, base: { name: "base", inputs: base, edits, reads: [] } };
}
