import type { Neutral } from "../../settings/inert-fields.ts";
import { type Setting, whole, width } from "../../settings/kinds.ts";
import { fail } from "../../../nn/errors.ts";

/** Settings of layers with experts. */
export interface ExpertCounts {
  /** Experts of each layer. */
  readonly numLocalExperts: number;
  /** How many experts each token is given to. */
  readonly numExpertsPerTok: number;
}

/** Rows of these settings. */
export function expertRows(counts: ExpertCounts): {
  readonly [K in keyof ExpertCounts]: Setting<number>;
} {
  return {
    numLocalExperts: width(counts.numLocalExperts, { names: ["numExperts"] }),
    numExpertsPerTok: whole(counts.numExpertsPerTok, { names: ["expertsPerToken"] }),
  };
}

/** Fields of files about the loss that evens out what experts are given, which is not there here. */
export const ROUTER_FIELDS: {
  readonly inert: readonly string[];
  readonly neutral: { readonly outputRouterLogits: Neutral };
} = {
  inert: ["routerAuxLossCoef"],
  neutral: {
    outputRouterLogits: {
      values: [false, null],
      why: "the loss would have a part that evens out what experts are given",
    },
  },
};

/** @throws ModelError for numbers of experts that cannot be. */
export function requireExperts<Config extends ExpertCounts>(
  family: string,
  counts: Config,
): Config {
  const { numLocalExperts, numExpertsPerTok } = counts;
  if (numExpertsPerTok <= numLocalExperts) return counts;
  return fail(
    family,
    `numExpertsPerTok (${numExpertsPerTok}) is more than the ${numLocalExperts} experts there are`,
  );
}
