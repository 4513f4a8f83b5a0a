import type { SwapMode } from "./swap.ts";
import { SwappingIntervention } from "./swapping.ts";

/** Subtracts the source's representation, or a constant direction, from the base's. */
export class SubtractionIntervention extends SwappingIntervention {
  protected override readonly mode: SwapMode = "subtract";
}
