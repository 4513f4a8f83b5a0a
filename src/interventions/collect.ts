import { fail } from "./errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Intervention, type InterventionContext, type SourceUse } from "./intervention.ts";
import { takeDimensions } from "./swap.ts";

/** Collects the activations at its units, and leaves them as they are. Takes no source. */
export class CollectIntervention extends Intervention {
  override readonly sourceUse: SourceUse = "none";
  override readonly collects: boolean = true;

  override forward(base: Tensor, source?: Tensor, context?: InterventionContext): Tensor {
    if (source !== undefined) fail("CollectIntervention", "it takes no source: pass null for it");
    return takeDimensions("CollectIntervention", base, this.dimensionsOf(context));
  }
}
