import { shown } from "./describe-value.ts";
import { fail } from "./errors.ts";
import { didYouMean } from "./nearest.ts";

/** The names of all options of a type; a missing one does not compile. */
export type OptionNames<T> = { readonly [K in keyof Required<T>]: true };

/**
 * What is wrong with options: that they are none, or that one is not known, as one under another
 * library's name.
 * @param known - Has the names of all options as keys.
 * @returns undefined if all are known.
 */
export function wrongOptions(options: unknown, known: object): string | undefined {
  const names = Object.keys(known);
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    return `options are one object by name: ${names.slice(0, 3).join(", ")}, ...`;
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return undefined;
  return `there is no option ${unknown}; ${didYouMean(unknown, names)}`;
}

/** @throws TsveneError for {@link wrongOptions}. */
export function requireKnownOptions(op: string, options: unknown, known: object): void {
  const wrong = wrongOptions(options, known);
  if (wrong !== undefined) fail(op, wrong);
}

/**
 * What is wrong with a word that is none of those expected, which may come from JavaScript or a file.
 * @returns undefined if it is one of them.
 */
export function wrongWord(
  option: string,
  value: unknown,
  expected: readonly unknown[],
): string | undefined {
  if (expected.includes(value)) return undefined;
  const words = expected.map((word) => (word === undefined ? "nothing" : shown(word))).join(", ");
  return `${option} must be ${expected.length > 1 ? "one of " : ""}${words}; got ${shown(value)}`;
}

/** @throws TsveneError for {@link wrongWord}. */
export function requireOneOf(
  op: string,
  option: string,
  value: unknown,
  expected: readonly unknown[],
): void {
  const wrong = wrongWord(option, value, expected);
  if (wrong !== undefined) fail(op, wrong);
}
