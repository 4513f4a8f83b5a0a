import type { Tensor } from "../../tensor/tensor.ts";
import { Featurizer, type FeaturizerOptions, widthIn } from "./featurizer.ts";

/** The representation itself: its dimensions, or neurons, are the features. Loses nothing. */
export class IdentityFeaturizer extends Featurizer {
  readonly width: number;
  readonly count: number;

  constructor(options: FeaturizerOptions) {
    super(options);
    this.width = this.count = widthIn("IdentityFeaturizer", options);
  }

  /** `h` as it is. */
  override encode(h: Tensor): Tensor {
    return h;
  }

  /** `features` as they are. */
  override decode(features: Tensor): Tensor {
    return features;
  }
}
