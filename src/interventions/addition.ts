import type { SwapMode } from "./swap.ts";
import { SwappingIntervention } from "./swapping.ts";

/** Adds the source's representation, or a constant direction, to the base's. */
export class AdditionIntervention extends SwappingIntervention {
  protected override readonly mode: SwapMode = "add";
}
