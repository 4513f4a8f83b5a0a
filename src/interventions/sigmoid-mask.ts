import { Buffer } from "../nn/buffer.ts";
import { Parameter } from "../nn/parameter.ts";
import type { Generator } from "../tensor/random/random.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Intervention, type InterventionOptions, unitWidthOf } from "./intervention.ts";
import { aboveZero, type Annealing, MaskedIntervention, shuffled } from "./masked.ts";

const INITIAL_TEMPERATURE = 0.01;

/**
 * Mixes base and source by a learned mask over the model's own dimensions: (1 - m) base + m source
 * with m = σ(mask / T). The mask starts at 0, which is half of each; the temperature T at 0.01.
 */
export class SigmoidMaskIntervention extends MaskedIntervention {
  override readonly parameterKinds: Intervention["parameterKinds"] = { mask: "mask" };
  override readonly annealing: Annealing = { from: 1, to: 0.01 };
  override readonly temperature: Buffer;
  /** [width] */
  readonly mask: Parameter;

  constructor(options: InterventionOptions) {
    const width = unitWidthOf("SigmoidMaskIntervention", options);
    super({ ...options, embedDim: width });
    this.mask = new Parameter(Tensor.fromData(new Float32Array(width), [width]));
    this.temperature = new Buffer(Tensor.fromData(Float32Array.of(INITIAL_TEMPERATURE), []));
  }

  override shares(): Tensor {
    return this.mask.value.div(this.softness()).sigmoid();
  }

  override decisions(): Tensor {
    return aboveZero(this.mask.value);
  }

  override takeSize({ mask }: this, generator: Generator): void {
    this.mask.set(shuffled(mask.value, generator));
  }
}
