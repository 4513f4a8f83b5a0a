import type { OptionNames } from "../../base/known-options.ts";
import { Linear } from "../../nn/layers/linear.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ReftIntervention, type ReftOptions } from "./reft-intervention.ts";

/** What ReFT without orthonormal directions is built from. */
export interface FreeReftOptions extends ReftOptions {
  /** Add a learned constant to the coordinates of the representation. @default false */
  readonly addBias?: boolean | undefined;
}

/** Along directions that are learned without being kept orthonormal. */
abstract class FreeAlong extends ReftIntervention {
  static override readonly optionNames: OptionNames<FreeReftOptions> = {
    ...ReftIntervention.optionNames,
    addBias: true,
  };
  /** W2: a representation to its coordinates, and the way back. */
  readonly proj_layer: Linear;
  /** W1 and b: a representation to what its coordinates become. */
  readonly learned_source: Linear;

  constructor(options: FreeReftOptions) {
    super(options);
    const { width, rank } = this.sizes;
    this.proj_layer = new Linear(width, rank, { bias: options.addBias ?? false });
    this.learned_source = new Linear(width, rank);
  }

  /** f(W1 h + b) */
  protected wanted(base: Tensor): Tensor {
    const { weight } = this.learned_source;
    return this.activation(this.learned_source.forward(base.to(weight.dtype)));
  }
}

/** {@link LoreftIntervention} without orthonormal directions: h + W2ᵀ (W1 h + b - W2 h). */
export class NoreftIntervention extends FreeAlong {
  protected override change(base: Tensor): Tensor {
    const { weight } = this.proj_layer;
    const own = this.proj_layer.forward(base.to(weight.dtype));
    return this.wanted(base).sub(own).matmul(weight.value);
  }
}

/** {@link DireftIntervention} without orthonormal directions: h + W2ᵀ (W1 h + b). */
export class NodireftIntervention extends FreeAlong {
  protected override change(base: Tensor): Tensor {
    return this.wanted(base).matmul(this.proj_layer.weight.value);
  }
}
