import type { SwapMode } from "./swap.ts";
import { SwappingIntervention } from "./swapping.ts";

/** Subtracts the source's representation, or a constant direction, from the base's. */
export class SubtractionIntervention extends SwappingIntervention {
  /** The selected dimensions of the source are subtracted from those of the base. */
  protected override readonly mode: SwapMode = "subtract";
}
