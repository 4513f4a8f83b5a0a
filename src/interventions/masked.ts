import { Parameter } from "../nn/parameter.ts";
import { constantLike } from "../tensor/functions/arithmetic.ts";
import { fail } from "./errors.ts";
import { type Generator, randperm } from "../tensor/random/random.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Buffer } from "../nn/buffer.ts";
import { FeatureIntervention } from "./feature-intervention.ts";
import type { Intervention, InterventionContext, InterventionOptions } from "./intervention.ts";
import { swap } from "./swap.ts";

/** Between which temperatures a mask is trained. */
export type Annealing = NonNullable<Intervention["annealing"]>;

/**
 * Interventions that mix features of base and source by a learned mask, (1 - m) base + m source, whether
 * they are the model's coordinates or others.
 */
export abstract class MaskedIntervention extends FeatureIntervention {
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

  /** How much of the source each feature gets, from 0 to 1: [width]. */
  abstract override shares(): Tensor;
  abstract override decisions(): Tensor;

  override forward(base: Tensor, source?: Tensor, context: InterventionContext = {}): Tensor {
    refuseSubspaces(this.constructor.name, context);
    return this.edited(base, source, context).output;
  }

  protected override interchanged(): undefined {
    return undefined;
  }

  protected override combined(
    own: Tensor,
    other: () => Tensor,
    { hard = false }: InterventionContext,
  ): Tensor {
    const swapped = swap(this.constructor.name, "interchange", own, other());
    return mixed(hard ? this.decisions() : this.shares(), own, swapped);
  }
}

/** Those whose mask is one learned number for each feature, of which the share is σ(mask / T). */
export abstract class SigmoidMaskedIntervention extends MaskedIntervention {
  /** What σ(mask / T) is the share of, [count], under the name that files have. */
  protected abstract readonly learnedMask: Parameter;

  override shares(): Tensor {
    return this.learnedMask.value.div(softness(this.temperature)).sigmoid();
  }

  /** 1 where a mask is above 0, where a feature gets more of the source than of the base; 0 elsewhere. */
  override decisions(): Tensor {
    return this.learnedMask.value.gt(0).to("float32");
  }

  /** As many features at random. */
  override takeSize({ learnedMask: { value } }: this, generator: Generator): void {
    const order = randperm(value.numel, { generator });
    this.learnedMask.set(value.indexSelect(0, order).detach());
  }
}

/** @throws InterventionError for subspaces, where a mask says which features change. */
export function refuseSubspaces(op: string, { subspaces }: InterventionContext): void {
  if (subspaces === undefined || subspaces === null) return;
  fail(op, "its mask says which dimensions change, so it takes no subspaces; pass null");
}

/** (1 - m) own + m other */
export function mixed(share: Tensor, own: Tensor, other: Tensor): Tensor {
  return constantLike(1, share).sub(share).mul(own).add(share.mul(other));
}

/** The same number for each of so many features. */
export function filled(width: number, value: number): Parameter {
  return new Parameter(Tensor.fromData(new Float32Array(width).fill(value), [width]));
}

/** A temperature, which is a setting and not learned. */
export function temperatureOf(value: number): Buffer {
  return new Buffer(Tensor.fromData(Float32Array.of(value), []));
}

/** The temperature as it enters a program, [1]. */
export function softness({ value }: Buffer): Tensor {
  // Numbers without dimensions that are equal share an input, so a temperature that happened to
  // equal another number would make another program.
  if (value.values === undefined) return value.reshape([1]);
  return Tensor.fromData(value.values, [1], value.dtype);
}
