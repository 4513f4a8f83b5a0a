import type { Tensor } from "../tensor/tensor.ts";
import { Intervention, type InterventionContext, type SourceUse } from "./intervention.ts";

/**
 * An intervention written as a function. It gets the selected units of base and source (`undefined`
 * where there is no source), and the subspaces of the call; `undefined` leaves the base as it is.
 */
export type InterventionFunction = (
  base: Tensor,
  source: Tensor | undefined,
  // `never` lets a function name the type of what its caller passes as `subspaces`.
  subspaces: never,
) => Tensor | undefined;

/** A plain function as an intervention. */
export class FunctionIntervention extends Intervention {
  override readonly sourceUse: SourceUse = "optional";
  /** The function as it was given. */
  readonly function: InterventionFunction;

  constructor(apply: InterventionFunction) {
    super();
    this.function = apply;
  }

  override forward(
    base: Tensor,
    source?: Tensor,
    { subspaces }: InterventionContext = {},
  ): Tensor | undefined {
    return this.function(base, source, subspaces as never);
  }

  override describe(): string {
    return this.function.name;
  }
}
