import { shown } from "../../base/describe-value.ts";
import { didYouMean } from "../../base/nearest.ts";
import { fail } from "../../interventions/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** One entry for each intervention, in their order or by name; null says nothing of it. */
export interface EachIntervention<T> {
  /** As many entries as there are interventions. */
  readonly each: readonly (T | null)[] | Readonly<Record<string, T | null>>;
}

/**
 * What is said for each intervention: `{ each: [...] }` has an entry for every one, in their order, and
 * `{ each: { name: ... } }` by name. Anything else holds for all.
 *
 * @param where - Function and argument, for messages.
 * @param names - The interventions, in order.
 * @throws InterventionError for `each` with other entries.
 */
export function entriesOf(
  op: string,
  value: unknown,
  where: string,
  names: readonly string[],
): readonly unknown[] {
  if (!isRecord(value) || !("each" in value)) return names.map(() => value);
  refuseOthers(op, value, ["each"], where);
  const { each } = value;
  if (isRecord(each)) return byName(op, each, `${where}: each`, names);
  if (!Array.isArray(each)) {
    return fail(
      op,
      `${where}: each must be a list with an entry for each intervention, or an object with one for ` +
        `each name, got ${show(each)}`,
    );
  }
  if (each.length === names.length) return each;
  return fail(
    op,
    `${where}: each has ${each.length} entries, but ${names.length} were wanted, one for each ` +
      `intervention: ${names.join(", ")}`,
  );
}

function byName(
  op: string,
  each: Readonly<Record<string, unknown>>,
  where: string,
  names: readonly string[],
): readonly unknown[] {
  refuseOthers(op, each, names, where);
  const missing = names.filter((name) => each[name] === undefined);
  if (missing.length === 0) return names.map((name) => each[name]);
  return fail(op, `${where}: ${missing.join(", ")} is missing; null says nothing of it`);
}

/** Refuses what is not one of the names. */
export function refuseOthers(
  op: string,
  given: object,
  names: readonly string[],
  where: string,
): void {
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    fail(op, `${where}: there is no "${name}" here; ${didYouMean(name, names)}`);
  }
}

/** Whether it is an object with names, as opposed to lists and tensors. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null;
  return isObject && !Array.isArray(value) && !(value instanceof Tensor);
}

/** A value as messages say it. */
export function show(value: unknown): string {
  if (value instanceof Tensor) return "a Tensor; give the numbers in it";
  return shown(value);
}
