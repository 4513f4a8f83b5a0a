import type { Buffer } from "../nn/buffer.ts";
import type { Parameter } from "../nn/parameter.ts";
import { IdentityFeaturizer } from "./featurizers/identity.ts";
import { type Intervention, type InterventionOptions, unitWidthOf } from "./intervention.ts";
import { type Annealing, filled, SigmoidMaskedIntervention, temperatureOf } from "./masked.ts";

const INITIAL_TEMPERATURE = 0.01;

/**
 * Mixes base and source by a learned mask over the model's own dimensions: (1 - m) base + m source
 * with m = σ(mask / T). The mask starts at 0, which is half of each; the temperature T at 0.01. Decided,
 * it swaps the dimensions whose mask is above 0.
 */
export class SigmoidMaskIntervention extends SigmoidMaskedIntervention {
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

  protected override get learnedMask(): Parameter {
    return this.mask;
  }
}
