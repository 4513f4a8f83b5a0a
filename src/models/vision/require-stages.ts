import { TensorError } from "../../tensor/errors.ts";
import { requirePositive } from "../config.ts";

/** Channels and layers of each stage, or an error that names the family's settings. */
export function requireStages(
  family: string,
  hiddenSizes: readonly number[],
  depths: readonly number[],
): void {
  if (!Array.isArray(hiddenSizes) || !Array.isArray(depths) || hiddenSizes.length === 0) {
    throw new TensorError(
      `${family}: hiddenSizes and depths must be lists, a number for each stage`,
    );
  }
  if (hiddenSizes.length !== depths.length) {
    throw new TensorError(
      `${family}: hiddenSizes has ${hiddenSizes.length} stages, depths has ${depths.length}`,
    );
  }
  const named = (name: string, list: readonly number[]): [string, number][] =>
    list.map((value, i) => [`${name}[${i}]`, value]);
  requirePositive(
    family,
    Object.fromEntries([...named("hiddenSizes", hiddenSizes), ...named("depths", depths)]),
  );
}
