import { fail } from "./errors.ts";
import { didYouMean } from "./nearest.ts";

/** The names of all options of a type; a missing one does not compile. */
export type OptionNames<T> = { readonly [K in keyof Required<T>]: true };

/**
 * Throws for an option that a function does not have, such as a mistyped one from JavaScript.
 * @param known - Has the names of all options as keys.
 */
export function requireKnownOptions(op: string, options: object, known: object): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  fail(op, `there is no option ${unknown}; ${didYouMean(unknown, Object.keys(known))}`);
}

/** Throws for a word that is none of those expected, which may come from JavaScript. */
export function requireOneOf(
  op: string,
  option: string,
  value: unknown,
  expected: readonly unknown[],
): void {
  if (expected.includes(value)) return;
  const words = expected.map((word) => JSON.stringify(word) ?? "nothing").join(", ");
  fail(op, `${option} must be one of ${words}; got ${JSON.stringify(value) ?? "nothing"}`);
}
