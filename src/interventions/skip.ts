import type { SwapMode } from "./swap.ts";
import { SwappingIntervention } from "./swapping.ts";

/**
 * Puts what goes *into* the module in the source run in the place of what comes out of it in the base
 * run. With the base as its own source, the module is skipped.
 */
export class SkipIntervention extends SwappingIntervention {
  override readonly sourceSite: "same" | "input" = "input";
  /** The selected dimensions of the source take the place of those of the base. */
  protected override readonly mode: SwapMode = "interchange";
}
