import { fail } from "../../../nn/errors.ts";
import type { GivenSettings } from "../../settings/define-settings.ts";

/** Channels and layers of each stage. */
interface StageConfig {
  readonly hiddenSizes: readonly number[];
  readonly depths: readonly number[];
  readonly numStages?: number;
}

/** Stages of which both lists speak, or an error that names the family's settings. */
export function requireStages(family: string, config: StageConfig): void {
  const { hiddenSizes, depths, numStages = depths.length } = config;
  if (hiddenSizes.length === 0) {
    fail(family, "hiddenSizes and depths must be lists, a number for each stage; got empty ones");
  }
  if (hiddenSizes.length !== depths.length) {
    fail(family, `hiddenSizes has ${hiddenSizes.length} stages, depths has ${depths.length}`);
  }
  if (numStages === depths.length) return;
  fail(
    family,
    `numStages is ${numStages}, but hiddenSizes and depths have ${depths.length} stages`,
  );
}

/** Settings without lists that are null, which means the defaults. */
export function withoutNullStages(given: GivenSettings): GivenSettings {
  const stages = ["hiddenSizes", "depths", "numStages"];
  const isSet = ([name, value]: [string, unknown]): boolean =>
    value !== null || !stages.includes(name);
  return Object.fromEntries(Object.entries(given).filter(isSet));
}
