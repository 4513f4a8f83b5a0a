import { Buffer } from "../nn/buffer.ts";
import { Parameter } from "../nn/parameter.ts";
import { RotateLayer } from "../nn/parametrizations/rotate-layer.ts";
import type { Generator } from "../tensor/random/random.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Intervention, type InterventionOptions, widthOf } from "./intervention.ts";
import { aboveZero, type Annealing, MaskedIntervention, shuffled } from "./masked.ts";

const INITIAL = { mask: 100, temperature: 50 } as const;

/**
 * Mixes base and source by a learned mask over a learned rotation: ((1 - m) base W + m source W) Wᵀ
 * with m = σ(masks / T). The masks start at 100 and the temperature T at 50, which is 0.88 of the
 * source.
 *
 * It sees the units of a row concatenated, so it takes exactly `maxNumberOfUnits` of them.
 */
export class SigmoidMaskRotatedSpaceIntervention extends MaskedIntervention {
  override readonly concatenatesUnits: boolean = true;
  override readonly parameterKinds: Intervention["parameterKinds"] = {
    rotate_layer: "rotation",
    masks: "mask",
  };
  override readonly annealing: Annealing = { from: INITIAL.temperature, to: 0.1 };
  override readonly rotate_layer: RotateLayer;
  override readonly temperature: Buffer;
  /** [width] */
  readonly masks: Parameter;

  constructor(options: InterventionOptions) {
    super(options);
    const width = widthOf("SigmoidMaskRotatedSpaceIntervention", options);
    this.rotate_layer = new RotateLayer(width);
    this.masks = new Parameter(
      Tensor.fromData(new Float32Array(width).fill(INITIAL.mask), [width]),
    );
    this.temperature = new Buffer(Tensor.fromData(Float32Array.of(INITIAL.temperature), []));
  }

  override shares(): Tensor {
    return this.masks.value.div(this.softness()).sigmoid();
  }

  override decisions(): Tensor {
    return aboveZero(this.masks.value);
  }

  override takeSize({ masks }: this, generator: Generator): void {
    this.masks.set(shuffled(masks.value, generator));
  }
}
