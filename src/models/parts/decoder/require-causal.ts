import { fail } from "../../../nn/errors.ts";

/** @throws ModelError for settings of a decoder whose tokens see those after them. */
export function requireCausal<
  Config extends { readonly useBidirectionalAttention: boolean | null },
>(family: string, config: Config): Config {
  if (config.useBidirectionalAttention !== true) return config;
  return fail(
    family,
    "useBidirectionalAttention is not known here; only models that write can be run",
  );
}
