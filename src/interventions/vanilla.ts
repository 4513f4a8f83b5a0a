import type { SwapMode } from "./swap.ts";
import { SwappingIntervention } from "./swapping.ts";

/** Puts the source's representation in the base's place: an interchange intervention. */
export class VanillaIntervention extends SwappingIntervention {
  /** The selected dimensions of the source take the place of those of the base. */
  protected override readonly mode: SwapMode = "interchange";
}
