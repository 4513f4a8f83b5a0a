import { requirePositive } from "../config.ts";
import { fail } from "../../tensor/errors.ts";

/** Settings of layers with experts. */
export interface ExpertCounts {
  readonly numLocalExperts: number;
  /** How many experts each token is given to. */
  readonly numExpertsPerTok: number;
}

/** @throws TensorError for numbers of experts that cannot be. */
export function requireExperts(family: string, counts: ExpertCounts): void {
  const { numLocalExperts, numExpertsPerTok } = counts;
  requirePositive(family, { numLocalExperts, numExpertsPerTok });
  if (numExpertsPerTok <= numLocalExperts) return;
  fail(
    family,
    `numExpertsPerTok (${numExpertsPerTok}) is more than the ${numLocalExperts} experts there are`,
  );
}
