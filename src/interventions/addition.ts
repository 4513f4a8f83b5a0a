import type { SwapMode } from "./swap.ts";
import { SwappingIntervention } from "./swapping.ts";

/** Adds the source's representation, or a constant direction, to the base's. */
export class AdditionIntervention extends SwappingIntervention {
  /** The selected dimensions of the source are added to those of the base. */
  protected override readonly mode: SwapMode = "add";
}
