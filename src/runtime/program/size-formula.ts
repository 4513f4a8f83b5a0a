import { internal } from "../../base/errors.ts";

/** A whole number times sizes, each by its name. */
export interface SizeTerm {
  readonly factor: number;
  /** Names of the sizes; none for a number by itself. */
  readonly names: readonly string[];
}

/** How a size follows from others: a sum of terms. */
export type SizeFormula = readonly SizeTerm[];

/** A size that programs may differ in, and two values that it has in them. */
export interface ProbedSize {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

/** Sizes by name. */
export type Sizes = Readonly<Record<string, number>>;

/**
 * All ways to give sizes the one or the other of their two values, the first size changing fastest.
 *
 * @param probed - The sizes.
 * @returns 2 ** n ways for n sizes.
 */
export function corners(probed: readonly ProbedSize[]): Sizes[] {
  return Array.from({ length: 2 ** probed.length }, (_, corner) =>
    Object.fromEntries(
      probed.map(({ name, low, high }, i) => [name, (corner >> i) % 2 === 0 ? low : high]),
    ),
  );
}

/**
 * The formula that a value follows which is known for each of the {@link corners}: products in which each
 * size is at most once, with whole numbers as factors. Undefined where there is none.
 */
export function fitFormula(
  probed: readonly ProbedSize[],
  values: readonly number[],
): SizeFormula | undefined {
  const last = probed.at(-1);
  if (last === undefined) {
    const [value = internal("a size without a value")] = values;
    return value === 0 ? [] : [{ factor: value, names: [] }];
  }
  const { name, low, high } = last;
  const half = values.length / 2;
  const slopes = values.slice(half).map((v, i) => (v - (values[i] ?? 0)) / (high - low));
  if (!slopes.every(Number.isInteger)) return undefined;
  const rest = probed.slice(0, -1);
  const without = fitFormula(rest, slopes.map((slope, i) => (values[i] ?? 0) - slope * low)); // prettier-ignore
  const withIt = fitFormula(rest, slopes);
  if (without === undefined || withIt === undefined) return undefined;
  return [...without, ...withIt.map((term) => ({ ...term, names: [...term.names, name] }))];
}

/** What a formula gives for these sizes. */
export function evaluateFormula(formula: SizeFormula, sizes: Sizes): number {
  return formula
    .map(({ factor, names }) =>
      names.reduce((product, name) => product * (sizes[name] ?? Number.NaN), factor),
    )
    .reduce((a, b) => a + b, 0);
}
