import type { Buffer } from "../nn/buffer.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Generator } from "../tensor/random/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { IdentityFeaturizer } from "./featurizers/identity.ts";
import { type Intervention, type InterventionOptions, unitWidthOf } from "./intervention.ts";
import {
  aboveZero,
  type Annealing,
  filled,
  MaskedIntervention,
  shuffled,
  sigmoidShares,
  temperatureOf,
} from "./masked.ts";

const INITIAL_TEMPERATURE = 0.01;

/**
 * Mixes base and source by a learned mask over the model's own dimensions: (1 - m) base + m source
 * with m = σ(mask / T). The mask starts at 0, which is half of each; the temperature T at 0.01. Decided,
 * it swaps the dimensions whose mask is above 0.
 */
export class SigmoidMaskIntervention extends MaskedIntervention {
  override readonly parameterKinds: Intervention["parameterKinds"] = { mask: "mask" };
  override readonly annealing: Annealing = { from: 1, to: 0.01 };
  override readonly temperature: Buffer;
  /** [width] */
  readonly mask: Parameter;
  readonly #featurizer: IdentityFeaturizer;

  constructor(options: InterventionOptions) {
    const width = unitWidthOf("SigmoidMaskIntervention", options);
    super({ ...options, embedDim: width });
    this.#featurizer = new IdentityFeaturizer({ width });
    this.mask = filled(width, 0);
    this.temperature = temperatureOf(INITIAL_TEMPERATURE);
  }

  override featurizerFor(): IdentityFeaturizer {
    return this.#featurizer;
  }

  override shares(): Tensor {
    return sigmoidShares(this.mask, this.temperature);
  }

  override decisions(): Tensor {
    return aboveZero(this.mask.value);
  }

  override takeSize({ mask }: this, generator: Generator): void {
    this.mask.set(shuffled(mask.value, generator));
  }
}
