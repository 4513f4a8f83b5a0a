import { fail } from "./errors.ts";
import type { OptionNames } from "../base/known-options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { AutoencoderLayer } from "./autoencoder-layer.ts";
import { CodeSwappingIntervention } from "./code-swapping.ts";
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
 * code that is decoded as `latent`.
 *
 * It sees the units of a row concatenated, so it takes exactly `maxNumberOfUnits` of them.
 */
export class AutoencoderIntervention extends CodeSwappingIntervention {
  static override readonly optionNames: OptionNames<AutoencoderOptions> = {
    ...Intervention.optionNames,
    latentDim: true,
  };
  override readonly trainable: boolean = true;
  override readonly concatenatesUnits: boolean = true;
  /** The encoder and the decoder, which are trained. */
  readonly autoencoder: AutoencoderLayer;

  /** @throws InterventionError without `latentDim`. */
  constructor(options: AutoencoderOptions) {
    const { latentDim } = options;
    if (!Number.isSafeInteger(latentDim) || latentDim < 1) {
      fail(
        "AutoencoderIntervention",
        `latentDim, the number of latents, must be a whole number of 1 or more, got ${String(latentDim)}`,
      );
    }
    super({ ...options, interchangeDim: options.interchangeDim ?? latentDim });
    const width = widthOf("AutoencoderIntervention", options);
    this.autoencoder = new AutoencoderLayer(width, latentDim);
  }

  override forward(
    base: Tensor,
    source?: Tensor,
    context?: InterventionContext,
  ): InterventionOutput {
    const { autoencoder } = this;
    const { swapped } = this.swapCode((x) => autoencoder.encode(x), base, source, context);
    return { output: autoencoder.decode(swapped).to(base.dtype), latent: swapped };
  }
}
