import { type Generator, shuffle } from "../tensor/random/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Intervention, type InterventionContext, type SourceUse } from "./intervention.ts";
import { swap, type SwapMode } from "./swap.ts";

/** Interventions that combine the source with the base in the selected dimensions. */
export abstract class SwappingIntervention extends Intervention {
  override readonly sourceUse: SourceUse = "required";
  /** What becomes of the selected dimensions. */
  protected abstract readonly mode: SwapMode;

  override takeSize({ interchangeDim, embedDim }: this, generator: Generator): void {
    if (interchangeDim === undefined || embedDim === undefined) return;
    const count = typeof interchangeDim === "number" ? interchangeDim : interchangeDim.length;
    const all = Array.from({ length: embedDim }, (_, dim) => dim);
    this.setInterchangeDim(shuffle(all, generator).slice(0, count));
  }

  override forward(base: Tensor, source?: Tensor, context?: InterventionContext): Tensor {
    const { name } = this.constructor;
    return swap(name, this.mode, base, this.sourceOf(source), this.dimensionsOf(context));
  }
}
