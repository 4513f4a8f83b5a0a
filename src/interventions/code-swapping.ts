import type { Tensor } from "../tensor/tensor.ts";
import { Intervention, type InterventionContext, type SourceUse } from "./intervention.ts";
import { swap } from "./swap.ts";

/** The base in other coordinates, before and after the source's were put in. */
export interface SwappedCode {
  /** The code of the base. */
  readonly code: Tensor;
  /** The same with the selected dimensions taken from the source's code. */
  readonly swapped: Tensor;
}

/** Interventions that put the source in the base's place in coordinates other than the model's. */
export abstract class CodeSwappingIntervention extends Intervention {
  override readonly sourceUse: SourceUse = "required";

  /** The selected ones of the coordinates that `encode` gives, swapped. */
  protected swapCode(
    encode: (x: Tensor) => Tensor,
    base: Tensor,
    source: Tensor | undefined,
    context?: InterventionContext,
  ): SwappedCode {
    const code = encode(base);
    const { name } = this.constructor;
    const own = encode(this.sourceOf(source));
    const swapped = swap(name, "interchange", code, own, this.dimensionsOf(context));
    return { code, swapped };
  }
}
