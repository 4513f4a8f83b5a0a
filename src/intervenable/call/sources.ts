import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../interventions/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { requireNamed } from "../config/names.ts";
import type { Target } from "../sites/target.ts";

/** Tensors in place of what sources would give: for all, one for each intervention, or by name. */
export type SourceRepresentations =
  Tensor | readonly (Tensor | null)[] | Readonly<Record<string, Tensor | null>>;

/** Where an intervention's source comes from. */
export type SourcePlan =
  | { readonly kind: "none" }
  /** Declared `null`: the intervention does nothing in this call. */
  | { readonly kind: "skip" }
  | { readonly kind: "given"; readonly value: Tensor }
  | { readonly kind: "run"; readonly inputs: unknown };

/** Sources as a caller gives them. */
export interface GivenSources {
  readonly sources?: unknown;
  readonly sourceRepresentations?: SourceRepresentations | null | undefined;
}

const OP = "IntervenableModel";
const NONE: SourcePlan = { kind: "none" };

/**
 * Where the source of each target comes from.
 * @throws InterventionError for sources that are missing, too many, or read by nobody.
 */
export function planSources(
  targets: readonly Target[],
  { sources, sourceRepresentations }: GivenSources,
): ReadonlyMap<string, SourcePlan> {
  if (sourceRepresentations === undefined || sourceRepresentations === null) {
    return fromRuns(targets, sources);
  }
  if (sources !== undefined && sources !== null) {
    fail(OP, "give sources or sourceRepresentations, and not both");
  }
  return fromRepresentations(targets, sourceRepresentations);
}

/** Whether an intervention can use a source that a call gives. */
function takesSource({ intervention }: Target): boolean {
  return intervention.sourceUse !== "none" && intervention.sourceRepresentation === undefined;
}

/** A target for which a call gives no source at all. */
function withoutSource(target: Target): SourcePlan {
  if (!takesSource(target) || target.intervention.sourceUse === "optional") return NONE;
  const { name, intervention } = target;
  return fail(
    OP,
    `${name}: ${intervention.constructor.name} needs a source; give it in sources or ` +
      `sourceRepresentations, or pass null there to skip it`,
  );
}

function skipped(target: Target): SourcePlan {
  if (!takesSource(target) || target.intervention.sourceUse === "optional") return NONE;
  return { kind: "skip" };
}

function fromRuns(targets: readonly Target[], given: unknown): ReadonlyMap<string, SourcePlan> {
  const groups = Math.max(...targets.map(({ group }) => group)) + 1;
  const list = given === undefined || given === null ? undefined : [given].flat();
  if (list !== undefined && list.length !== groups && list.length !== 1) {
    fail(
      OP,
      `${list.length} sources for ${groups} ${groups === 1 ? "group" : "groups"}; give one for each (null for none), or one for all`,
    );
  }
  const inputs = list?.length === 1 ? Array.from({ length: groups }, () => list[0]) : list;
  if (inputs !== undefined) checkReaders(targets, inputs, list?.length === 1);
  const plans = targets.map((target): [string, SourcePlan] => {
    const source: unknown = inputs?.[target.group];
    if (inputs === undefined || source === undefined) return [target.name, withoutSource(target)];
    if (source === null) return [target.name, skipped(target)];
    return [target.name, takesSource(target) ? { kind: "run", inputs: source } : NONE];
  });
  return new Map(plans);
}

/** A source that nobody reads is a mistake, but for one that is given for all. */
function checkReaders(
  targets: readonly Target[],
  inputs: readonly unknown[],
  forAll: boolean,
): void {
  const groups = inputs.flatMap((source, g) =>
    source === null || source === undefined ? [] : [g],
  );
  const unread = groups.filter((g) => !targets.some((t) => t.group === g && takesSource(t)));
  if (unread.length === 0 || (forAll && unread.length < inputs.length)) return;
  const names = targets.filter(({ group }) => unread.includes(group)).map(({ name }) => name);
  fail(
    OP,
    `no intervention reads source ${unread.join(", ")} (${names.join(", ")}); pass null for it`,
  );
}

function fromRepresentations(
  targets: readonly Target[],
  given: SourceRepresentations,
): ReadonlyMap<string, SourcePlan> {
  const readers = targets.filter(takesSource);
  if (readers.length === 0) {
    fail(OP, "sourceRepresentations are given, but no intervention reads them");
  }
  const byName = representationsByName(targets, readers, given);
  const plans = targets.map((target): [string, SourcePlan] => {
    const { name } = target;
    const value = byName.get(name);
    if (value === undefined) return [name, withoutSource(target)];
    if (value === null) return [name, skipped(target)];
    if (!(value instanceof Tensor)) {
      fail(
        OP,
        `sourceRepresentations: ${name} must be a Tensor or null, got ${describeValue(value)}`,
      );
    }
    if (!takesSource(target)) {
      fail(OP, `sourceRepresentations: ${name} takes no source; leave it out`);
    }
    return [name, { kind: "given", value }];
  });
  return new Map(plans);
}

function representationsByName(
  targets: readonly Target[],
  readers: readonly Target[],
  given: SourceRepresentations,
): ReadonlyMap<string, Tensor | null> {
  if (given instanceof Tensor) return new Map(readers.map(({ name }) => [name, given]));
  const names = targets.map(({ name }) => name);
  if (Array.isArray(given)) {
    const list = given as readonly (Tensor | null)[];
    if (list.length === targets.length) {
      return new Map(names.map((name, i) => [name, list[i] ?? null]));
    }
    return fail(
      OP,
      `${list.length} sourceRepresentations for ${names.length} interventions: ${names.join(", ")}`,
    );
  }
  const entries = Object.entries(given as Readonly<Record<string, Tensor | null>>);
  for (const [name] of entries) requireNamed(`${OP}: sourceRepresentations`, name, targets);
  return new Map(entries);
}
