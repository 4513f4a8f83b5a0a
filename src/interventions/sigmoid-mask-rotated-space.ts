import type { Buffer } from "../nn/buffer.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { RotateLayer } from "../nn/parametrizations/rotate-layer.ts";
import { layerOf, RotationFeaturizer } from "./featurizers/rotation.ts";
import { type Intervention, type InterventionOptions, widthOf } from "./intervention.ts";
import { type Annealing, filled, SigmoidMaskedIntervention, temperatureOf } from "./masked.ts";

const INITIAL = { mask: 100, temperature: 50 } as const;

/**
 * Mixes base and source by a learned mask over a learned rotation: ((1 - m) base W + m source W) Wᵀ
 * with m = σ(masks / T). The masks start at 100 and the temperature T at 50, which is 0.88 of the
 * source. Decided, it swaps the dimensions whose mask is above 0.
 *
 * It sees the units of a row concatenated, so it takes exactly `maxNumberOfUnits` of them.
 */
export class SigmoidMaskRotatedSpaceIntervention extends SigmoidMaskedIntervention {
  override readonly concatenatesUnits: boolean = true;
  /** The rotation, an orthogonal matrix [width, width], which is trained. */
  readonly rotate_layer: RotateLayer;
  override readonly parameterKinds: Intervention["parameterKinds"] = {
    rotate_layer: "rotation",
    masks: "mask",
  };
  override readonly annealing: Annealing = { from: INITIAL.temperature, to: 0.1 };
  override readonly temperature: Buffer;
  /** [width] */
  readonly masks: Parameter;
  readonly #featurizer: RotationFeaturizer;

  constructor(options: InterventionOptions) {
    super(options);
    const width = widthOf("SigmoidMaskRotatedSpaceIntervention", options);
    this.#featurizer = new RotationFeaturizer({ width });
    this.rotate_layer = layerOf(this.#featurizer);
    this.masks = filled(width, INITIAL.mask);
    this.temperature = temperatureOf(INITIAL.temperature);
  }

  override featurizerFor(): RotationFeaturizer {
    return this.#featurizer;
  }

  protected override get learnedMask(): Parameter {
    return this.masks;
  }
}
