import { Linear } from "../../nn/layers/linear.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { rotated, RotateLayer } from "../../nn/parametrizations/rotate-layer.ts";
import { initialized } from "../../nn/without-init.ts";
import { rand } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ReftIntervention, type ReftOptions } from "./reft-intervention.ts";

/** Along orthonormal directions R, to which a linear function of the representation says how far. */
abstract class LearnedAlong extends ReftIntervention {
  /** R, orthonormal columns [width, rank]. */
  readonly rotate_layer: RotateLayer;
  /** W and b: a representation to its coordinates. */
  readonly learned_source: Linear;

  constructor(options: ReftOptions) {
    super(options);
    const { width, rank } = this.sizes;
    this.rotate_layer = new RotateLayer(width, rank);
    this.learned_source = new Linear(width, rank);
  }

  /** f(W h + b) */
  protected wanted(base: Tensor): Tensor {
    const { weight } = this.learned_source;
    return this.activation(this.learned_source.forward(base.to(weight.dtype)));
  }
}

/** Along orthonormal directions R, by constants. */
abstract class ConstantAlong extends ReftIntervention {
  /** R, orthonormal columns [width, rank]. */
  readonly rotate_layer: RotateLayer;
  /** b, [rank]; uniform in [0, 1) at first. */
  readonly learned_source: Parameter;

  constructor(options: ReftOptions) {
    super(options);
    const { width, rank } = this.sizes;
    this.rotate_layer = new RotateLayer(width, rank);
    this.learned_source = initialized([rank], (shape) => rand(shape));
  }
}

/**
 * Sets coordinates along learned directions to a linear function of the representation:
 * h + Rᵀ (W h + b - R h), with orthonormal rows R (low-rank linear subspace ReFT: Wu and others, 2024). Of
 * `rank` directions it has (2 width + 1) rank parameters.
 *
 * @example
 * ```ts
 * import { LoreftIntervention, randn } from "tsvene";
 * const loreft = new LoreftIntervention({ embedDim: 8, lowRankDimension: 2 });
 * console.log(loreft.forward(randn([1, 3, 8])).shape); // [1, 3, 8]
 * ```
 */
export class LoreftIntervention extends LearnedAlong {
  protected override change(base: Tensor): Tensor {
    const { weight } = this.rotate_layer;
    return this.wanted(base).sub(rotated(base, weight)).matmul(weight.t());
  }
}

/** As {@link LoreftIntervention}, with what is learned added instead of set: h + Rᵀ (W h + b). */
export class DireftIntervention extends LearnedAlong {
  protected override change(base: Tensor): Tensor {
    return this.wanted(base).matmul(this.rotate_layer.weight.t());
  }
}

/** As {@link LoreftIntervention}, with constants: h + Rᵀ (b - R h). It takes no `actFn`. */
export class ConsreftIntervention extends ConstantAlong {
  protected override change(base: Tensor): Tensor {
    const { weight } = this.rotate_layer;
    return this.learned_source.value.sub(rotated(base, weight)).matmul(weight.t());
  }
}

/** Adds a learned vector in directions R: h + Rᵀ b. It takes no `actFn`. */
export class LobireftIntervention extends ConstantAlong {
  protected override change(base: Tensor): Tensor {
    const added = this.learned_source.value.unsqueeze(0).matmul(this.rotate_layer.weight.t());
    return added.squeeze(0).expand(base.shape);
  }
}
