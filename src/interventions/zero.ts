import { constantLike } from "../tensor/functions/arithmetic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Intervention, type InterventionContext, type SourceUse } from "./intervention.ts";
import { swap } from "./swap.ts";

/** Puts zeros in the selected dimensions. Needs no source. */
export class ZeroIntervention extends Intervention {
  override readonly sourceUse: SourceUse = "none";

  override forward(base: Tensor, _source?: Tensor, context?: InterventionContext): Tensor {
    const { name } = this.constructor;
    return swap(name, "interchange", base, constantLike(0, base), this.dimensionsOf(context));
  }
}
