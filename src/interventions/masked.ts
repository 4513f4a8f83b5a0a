import { rotated, type RotateLayer } from "../nn/parametrizations/rotate-layer.ts";
import { constantLike } from "../tensor/functions/arithmetic.ts";
import { fail } from "./errors.ts";
import { type Generator, randperm } from "../tensor/random/random.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Buffer } from "../nn/buffer.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOptions,
  type SourceUse,
} from "./intervention.ts";
import { swap } from "./swap.ts";

/** Between which temperatures a mask is trained. */
export type Annealing = NonNullable<Intervention["annealing"]>;

/**
 * Interventions that mix base and source by a learned mask, (1 - m) base + m source, whether in the
 * model's coordinates or in rotated ones.
 */
export abstract class MaskedIntervention extends Intervention {
  override readonly sourceUse: SourceUse = "required";
  override readonly trainable: boolean = true;
  abstract override readonly temperature: Buffer;
  abstract override readonly annealing: Annealing;
  /** @throws InterventionError for a choice of dimensions, which the mask makes. */
  constructor(options: InterventionOptions) {
    super(options);
    const { embedDim, interchangeDim = embedDim, subspacePartition } = options;
    if (interchangeDim === embedDim && subspacePartition === undefined) return;
    const name = subspacePartition === undefined ? "interchangeDim" : "subspacePartition";
    fail(this.constructor.name, `its mask says which dimensions change: leave out ${name}`);
  }

  /** The rotation into the coordinates that are mixed. */
  readonly rotate_layer: RotateLayer | undefined = undefined;

  /** How much of the source each dimension gets, from 0 to 1: [width]. */
  abstract override shares(): Tensor;
  abstract override decisions(): Tensor;

  override forward(
    base: Tensor,
    source?: Tensor,
    { subspaces, hard = false }: InterventionContext = {},
  ): Tensor {
    const { name } = this.constructor;
    if (subspaces !== undefined && subspaces !== null) {
      fail(name, "its mask says which dimensions change, so it takes no subspaces; pass null");
    }
    const weight = this.rotate_layer?.weight;
    const into = (x: Tensor): Tensor => (weight === undefined ? x : rotated(x, weight));
    const own = into(base);
    const other = swap(name, "interchange", own, into(this.sourceOf(source)));
    const share = hard ? this.decisions() : this.shares();
    const mixed = constantLike(1, share).sub(share).mul(own).add(share.mul(other));
    return (weight === undefined ? mixed : mixed.matmul(weight.t())).to(base.dtype);
  }

  /** The temperature as it enters a program, [1]. */
  protected softness(): Tensor {
    const { value } = this.temperature;
    // Numbers without dimensions that are equal share an input, so a temperature that happened to
    // equal another number would make another program.
    if (value.values === undefined) return value.reshape([1]);
    return Tensor.fromData(value.values, [1], value.dtype);
  }
}

/** 1 where a mask is above 0, where a dimension gets more of the source than of the base; 0 elsewhere. */
export function aboveZero(mask: Tensor): Tensor {
  return mask.gt(0).to("float32");
}

/** The same numbers in another order. */
export function shuffled(mask: Tensor, generator: Generator): Tensor {
  return mask.indexSelect(0, randperm(mask.numel, { generator })).detach();
}
