import type { OptionNames } from "../../base/known-options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { AutoencoderLayer } from "../autoencoder-layer.ts";
import { fail } from "../errors.ts";
import { Featurizer, type FeaturizerOptions, widthIn } from "./featurizer.ts";

/** What featurisers made of autoencoders are built from. */
export interface AutoencoderFeaturizerOptions extends FeaturizerOptions {
  /** How many latents it has. */
  readonly latentDim: number;
  /** Keep what the autoencoder cannot express, so that only latents that change have an effect. @default true */
  readonly errorTerm?: boolean | undefined;
}

/** @throws InterventionError for what is no number of latents. */
export function latentsIn(op: string, { latentDim }: { readonly latentDim: number }): number {
  if (Number.isSafeInteger(latentDim) && latentDim >= 1) return latentDim;
  return fail(
    op,
    `latentDim, the number of latents, must be a whole number of 1 or more, got ${String(latentDim)}`,
  );
}

/** Featurisers whose features are the latents of some autoencoder. */
export abstract class LatentFeaturizer extends Featurizer {
  static override readonly optionNames: OptionNames<AutoencoderFeaturizerOptions> = {
    ...Featurizer.optionNames,
    latentDim: true,
    errorTerm: true,
  };
  readonly width: number;
  readonly count: number;
  override readonly keepsError: boolean;

  /** @throws InterventionError without `latentDim`. */
  constructor(op: string, options: AutoencoderFeaturizerOptions) {
    super(options);
    this.count = latentsIn(op, options);
    this.width = widthIn(op, options);
    this.keepsError = options.errorTerm ?? true;
  }
}

/**
 * Latents of an autoencoder z = ReLU(W (x - b) + c), x = V z + b. What it cannot express is the error term.
 *
 * @example
 * ```ts
 * import { AutoencoderFeaturizer, randn } from "tsvene";
 * const code = new AutoencoderFeaturizer({ width: 8, latentDim: 32 });
 * console.log(code.encode(randn([2, 8])).shape); // [2, 32]
 * ```
 */
export class AutoencoderFeaturizer extends LatentFeaturizer {
  /** The encoder and the decoder, which are trained. */
  readonly autoencoder: AutoencoderLayer;

  /** @throws InterventionError without `latentDim`. */
  constructor(options: AutoencoderFeaturizerOptions) {
    super("AutoencoderFeaturizer", options);
    this.autoencoder = new AutoencoderLayer(this.width, this.count);
  }

  /** [..., width] -> [..., latents] */
  override encode(h: Tensor): Tensor {
    return this.autoencoder.encode(h);
  }

  /** [..., latents] -> [..., width] */
  override decode(features: Tensor): Tensor {
    return this.autoencoder.decode(features);
  }
}
