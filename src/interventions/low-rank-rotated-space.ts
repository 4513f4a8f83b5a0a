import type { RotateLayer } from "../nn/parametrizations/rotate-layer.ts";
import { fail } from "./errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { FeatureSwappingIntervention } from "./feature-intervention.ts";
import { DirectionsFeaturizer } from "./featurizers/directions.ts";
import { layerOf } from "./featurizers/rotation.ts";
import type { OptionNames } from "../base/known-options.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOptions,
  widthOf,
} from "./intervention.ts";

/** What a {@link LowRankRotatedSpaceIntervention} is built from. */
export interface LowRankOptions extends InterventionOptions {
  /** How many directions are swapped, at most the width. */
  readonly lowRankDimension: number;
}

/**
 * Swaps the coordinates along a few learned directions: base + (source W - base W) Wᵀ, where W
 * [width, lowRankDimension] has orthonormal columns. Subspaces and `interchangeDim` count
 * directions.
 *
 * It sees the units of a row concatenated, so it takes exactly `maxNumberOfUnits` of them.
 */
export class LowRankRotatedSpaceIntervention extends FeatureSwappingIntervention {
  static override readonly optionNames: OptionNames<LowRankOptions> = {
    ...Intervention.optionNames,
    lowRankDimension: true,
  };
  override readonly trainable: boolean = true;
  override readonly concatenatesUnits: boolean = true;
  override readonly parameterKinds: Intervention["parameterKinds"] = { rotate_layer: "rotation" };
  /** The directions, orthonormal columns [width, rank], which are trained. */
  readonly rotate_layer: RotateLayer;
  readonly #featurizer: DirectionsFeaturizer;

  /** @throws InterventionError without `lowRankDimension`, and for one above the width. */
  constructor(options: LowRankOptions) {
    super(options);
    const { lowRankDimension: rank, embedDim } = options;
    const most = embedDim ?? Infinity;
    if (!Number.isSafeInteger(rank) || rank < 1 || rank > most) {
      fail(
        "LowRankRotatedSpaceIntervention",
        `lowRankDimension must be a whole number from 1 to the width${
          embedDim === undefined ? "" : ` ${embedDim}`
        }, got ${String(rank)}`,
      );
    }
    const width = widthOf("LowRankRotatedSpaceIntervention", options);
    this.#featurizer = new DirectionsFeaturizer({ width, rank });
    this.rotate_layer = layerOf(this.#featurizer);
  }

  override featurizerFor(): DirectionsFeaturizer {
    return this.#featurizer;
  }

  override forward(base: Tensor, source?: Tensor, context?: InterventionContext): Tensor {
    return this.edited(base, source, context).output;
  }
}
