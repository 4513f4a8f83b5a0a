import type { OptionNames } from "../../base/known-options.ts";
import { Buffer } from "../../nn/buffer.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../errors.ts";
import { Featurizer, type FeaturizerOptions, requireWidth } from "./featurizer.ts";
import { momentsOf } from "./moments.ts";

/** What a {@link StandardizeFeaturizer} is built from. */
export interface StandardizeOptions extends FeaturizerOptions {
  /** What is subtracted from a representation: [width]. */
  readonly mean: Tensor;
  /** What it is then divided by: [width]. */
  readonly std: Tensor;
}

/**
 * Each dimension less its mean, divided by its spread; loses nothing.
 *
 * @example
 * ```ts
 * import { randn, StandardizeFeaturizer } from "tsvene";
 * const standardize = StandardizeFeaturizer.fit(randn([200, 8]).mul(3));
 * console.log(standardize.encode(randn([2, 8])).shape);
 * ```
 */
export class StandardizeFeaturizer extends Featurizer {
  static override readonly optionNames: OptionNames<StandardizeOptions> = {
    ...Featurizer.optionNames,
    mean: true,
    std: true,
  };
  readonly width: number;
  readonly count: number;
  /** What is subtracted first, [width]. */
  readonly mean: Buffer;
  /** What is then divided by, [width]. */
  readonly std: Buffer;

  /** @throws InterventionError for tensors whose shapes do not fit. */
  constructor(options: StandardizeOptions) {
    super(options);
    const { mean, std } = options;
    if (mean.ndim !== 1 || std.ndim !== 1 || mean.numel !== std.numel) {
      fail(
        "StandardizeFeaturizer",
        `mean and std must both be [width], got ${show(mean.shape)} and ${show(std.shape)}`,
      );
    }
    this.width = this.count = requireWidth("StandardizeFeaturizer", options, mean.numel);
    this.mean = new Buffer(mean);
    this.std = new Buffer(std);
  }

  /**
   * With the means and spreads of activations.
   *
   * @param activations - [samples, width]
   */
  static fit(activations: Tensor): StandardizeFeaturizer {
    const { mean, std } = momentsOf("StandardizeFeaturizer.fit", activations);
    return new StandardizeFeaturizer({ mean, std });
  }

  /** (h - mean) / std */
  override encode(h: Tensor): Tensor {
    return h.to(this.mean.value.dtype).sub(this.mean.value).div(this.std.value);
  }

  /** features std + mean */
  override decode(features: Tensor): Tensor {
    return features.mul(this.std.value).add(this.mean.value);
  }
}
