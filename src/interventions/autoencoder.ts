import type { OptionNames } from "../base/known-options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AutoencoderLayer } from "./autoencoder-layer.ts";
import { FeatureSwappingIntervention } from "./feature-intervention.ts";
import { AutoencoderFeaturizer, latentsIn } from "./featurizers/autoencoder.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOptions,
  type InterventionOutput,
  widthOf,
} from "./intervention.ts";

/** What an {@link AutoencoderIntervention} is built from. */
export interface AutoencoderOptions extends InterventionOptions {
  /** How many latents it has. */
  readonly latentDim: number;
}

/**
 * Swaps latents of an autoencoder z = ReLU(W (x - b) + c), x = V z + b, and puts back what they
 * decode to. All latents unless `interchangeDim` or the call's subspaces name some. Hands out the
 * code that is decoded as `latent`. What the autoencoder cannot express is lost, as in pyvene; a
 * {@link FeaturizedIntervention} with an {@link AutoencoderFeaturizer} keeps it.
 *
 * It sees the units of a row concatenated, so it takes exactly `maxNumberOfUnits` of them.
 */
export class AutoencoderIntervention extends FeatureSwappingIntervention {
  static override readonly optionNames: OptionNames<AutoencoderOptions> = {
    ...Intervention.optionNames,
    latentDim: true,
  };
  override readonly trainable: boolean = true;
  override readonly concatenatesUnits: boolean = true;
  /** The encoder and the decoder, which are trained. */
  readonly autoencoder: AutoencoderLayer;
  readonly #featurizer: AutoencoderFeaturizer;

  /** @throws InterventionError without `latentDim`. */
  constructor(options: AutoencoderOptions) {
    const latentDim = latentsIn("AutoencoderIntervention", options);
    super({ ...options, interchangeDim: options.interchangeDim ?? latentDim });
    const width = widthOf("AutoencoderIntervention", options);
    this.#featurizer = new AutoencoderFeaturizer({ width, latentDim, errorTerm: false });
    this.autoencoder = this.#featurizer.autoencoder;
  }

  override featurizerFor(): AutoencoderFeaturizer {
    return this.#featurizer;
  }

  override forward(
    base: Tensor,
    source?: Tensor,
    context?: InterventionContext,
  ): InterventionOutput {
    const { output, features } = this.edited(base, source, context);
    return { output, latent: features() };
  }
}
