import type { Tensor } from "../tensor/tensor.ts";
import { InterventionError } from "./errors.ts";
import { Intervention, type InterventionContext, type SourceUse } from "./intervention.ts";

/**
 * An intervention written as a function. It gets the selected units of base and source, and the
 * subspaces of the call; `undefined` leaves the base as it is. Where a call gives no source, `source`
 * is undefined: a function that is also meant for such calls says `source?: Tensor`.
 */
export type InterventionFunction = (
  base: Tensor,
  source: Tensor,
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
    try {
      // Its type promises a source, which only a call can give.
      return this.function(base, source as Tensor, subspaces as never);
    } catch (error) {
      // One that takes a source may have missed it.
      if (source === undefined && this.function.length > 1) this.#refuseSourceless(error);
      throw error;
    }
  }

  #refuseSourceless(error: unknown): never {
    const why = error instanceof Error ? error.message : String(error);
    const name = this.function.name || "the function";
    throw new InterventionError(
      `${name} takes a source, and this call gives none, so it failed: ${why}; give sources or ` +
        `sourceRepresentations`,
      { cause: error },
    );
  }

  override describe(): string {
    return this.function.name;
  }
}
