import type { Parameter } from "../nn/parameter.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { OptionNames } from "../base/known-options.ts";
import type { AutoencoderOptions } from "./autoencoder.ts";
import { FeatureSwappingIntervention } from "./feature-intervention.ts";
import { latentsIn } from "./featurizers/autoencoder.ts";
import { JumpReLUFeaturizer } from "./featurizers/jump-relu.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOutput,
  unitWidthOf,
} from "./intervention.ts";

/** What a {@link JumpReLUAutoencoderIntervention} is built from. */
export interface JumpReLUAutoencoderOptions extends AutoencoderOptions {
  /**
   * Add to the result what the autoencoder cannot express of the base, so that only the latents that
   * change have an effect. @default false
   */
  readonly errorTerm?: boolean;
}

/**
 * Swaps latents of a sparse autoencoder with jumping ReLUs (Rajamanoharan and others, 2024), and puts
 * back what they decode to: with p = x W_enc + b_enc, z = p where p > threshold, else 0 (and never
 * below 0), and x = z W_dec + b_dec. All latents unless `interchangeDim` or the call's subspaces name
 * some. Hands out the code that is decoded as `latent`.
 *
 * Load trained weights with `loadStateDict`; at first W_dec is random and W_enc its transpose. The
 * threshold has no gradient.
 *
 * @example
 * ```ts
 * import { JumpReLUAutoencoderIntervention, randn } from "tsvene";
 * const sae = new JumpReLUAutoencoderIntervention({ embedDim: 8, latentDim: 32, errorTerm: true });
 * const { output, latent } = sae.forward(randn([1, 3, 8]), randn([1, 3, 8]), { subspaces: [4, 7] });
 * console.log(output.shape, latent?.shape); // [1, 3, 8] and [1, 3, 32]
 * ```
 */
export class JumpReLUAutoencoderIntervention extends FeatureSwappingIntervention {
  static override readonly optionNames: OptionNames<JumpReLUAutoencoderOptions> = {
    ...Intervention.optionNames,
    latentDim: true,
    errorTerm: true,
  };
  override readonly trainable: boolean = true;
  /** Whether what the autoencoder misses of the base is added to its result. */
  readonly errorTerm: boolean;
  /** [width, latents] */
  readonly W_enc: Parameter;
  /** [latents, width] */
  readonly W_dec: Parameter;
  /** [latents] */
  readonly threshold: Parameter;
  /** [latents] */
  readonly b_enc: Parameter;
  /** [width] */
  readonly b_dec: Parameter;

  readonly #featurizer: JumpReLUFeaturizer;

  /** @throws InterventionError without `latentDim`. */
  constructor(options: JumpReLUAutoencoderOptions) {
    const latentDim = latentsIn("JumpReLUAutoencoderIntervention", options);
    const width = unitWidthOf("JumpReLUAutoencoderIntervention", options);
    super({
      ...options,
      embedDim: width,
      interchangeDim: options.interchangeDim ?? latentDim,
    });
    this.errorTerm = options.errorTerm ?? false;
    const { errorTerm } = this;
    this.#featurizer = new JumpReLUFeaturizer({ width, latentDim, errorTerm });
    this.W_enc = this.#featurizer.W_enc;
    this.W_dec = this.#featurizer.W_dec;
    this.threshold = this.#featurizer.threshold;
    this.b_enc = this.#featurizer.b_enc;
    this.b_dec = this.#featurizer.b_dec;
  }

  override featurizerFor(): JumpReLUFeaturizer {
    return this.#featurizer;
  }

  /** [..., width] -> [..., latents] */
  encode(x: Tensor): Tensor {
    return this.#featurizer.encode(x);
  }

  /** [..., latents] -> [..., width] */
  decode(latent: Tensor): Tensor {
    return this.#featurizer.decode(latent);
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
