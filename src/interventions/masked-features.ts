import type { OptionNames } from "../base/known-options.ts";
import type { Buffer } from "../nn/buffer.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Generator } from "../tensor/random/random.ts";
import { featurizerOf, optionsWith, type WithFeaturizer } from "./featurized.ts";
import type { Featurizer } from "./featurizers/featurizer.ts";
import { Intervention, type InterventionOptions } from "./intervention.ts";
import { type Annealing, filled, SigmoidMaskedIntervention, temperatureOf } from "./masked.ts";

/** What a {@link MaskedFeaturesIntervention} is built from. */
export interface MaskedFeaturesOptions extends InterventionOptions, WithFeaturizer {}

const OP = "MaskedFeaturesIntervention";
const INITIAL = { mask: 0, temperature: 1 } as const;

/**
 * Swaps features of whatever featuriser that a learned mask chooses (differentiable binary masks: De Cao
 * and others, 2020): over neurons, principal components, latents, coordinates of a rotation that may be
 * learned with it. Feature i gets the share σ(masks / T) of the source, ½ at first; the temperature T is 1 at
 * first. Decided, it swaps the features whose mask is above 0. What the featuriser cannot express is kept.
 *
 * Each unit is featurised by itself. A featuriser that was learned before is frozen with
 * `featurizer.requiresGrad(false)`, so that only the mask is learned.
 *
 * @example
 * ```ts
 * import { MaskedFeaturesIntervention, PCAFeaturizer, randn } from "tsvene";
 * const pca = await PCAFeaturizer.fit(randn([200, 8]));
 * const which = new MaskedFeaturesIntervention({ featurizer: pca }); // which components?
 * console.log(which.forward(randn([2, 3, 8]), randn([2, 3, 8])).shape, which.masks.shape);
 * ```
 */
export class MaskedFeaturesIntervention extends SigmoidMaskedIntervention {
  static override readonly optionNames: OptionNames<MaskedFeaturesOptions> = {
    ...Intervention.optionNames,
    featurizer: true,
  };
  override readonly parameterKinds: Intervention["parameterKinds"];
  override readonly annealing: Annealing = { from: INITIAL.temperature, to: 0.01 };
  override readonly temperature: Buffer;
  override readonly readsOwnRun: boolean;
  /** What makes features of a unit. */
  readonly featurizer: Featurizer;
  /** What σ(masks / T) is the share of, [count]. */
  readonly masks: Parameter;

  /** @throws InterventionError for a featuriser of another width, and a choice of features beside the mask. */
  constructor(options: MaskedFeaturesOptions) {
    const featurizer = featurizerOf(OP, options);
    super({ ...optionsWith(options, featurizer), interchangeDim: options.interchangeDim });
    this.featurizer = featurizer;
    this.readsOwnRun = featurizer.transcodes;
    this.parameterKinds = { featurizer: featurizer.parameterKind, masks: "mask" };
    this.masks = filled(featurizer.count, INITIAL.mask);
    this.temperature = temperatureOf(INITIAL.temperature);
  }

  override featurizerFor(): Featurizer {
    return this.featurizer;
  }

  protected override get learnedMask(): Parameter {
    return this.masks;
  }

  /** As many features at random; of a featuriser that is learned, another one. */
  override takeSize(from: this, generator: Generator): void {
    super.takeSize(from, generator);
    const { featurizer } = from;
    const isLearned = featurizer.parameters().some(({ requiresGrad }) => requiresGrad);
    if (!isLearned) this.featurizer.loadStateDict(featurizer.stateDict());
  }
}
