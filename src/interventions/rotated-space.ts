import type { RotateLayer } from "../nn/parametrizations/rotate-layer.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { FeatureSwappingIntervention } from "./feature-intervention.ts";
import { layerOf, RotationFeaturizer } from "./featurizers/rotation.ts";
import {
  type Intervention,
  type InterventionContext,
  type InterventionOptions,
  widthOf,
} from "./intervention.ts";

/**
 * Swaps dimensions of a learned rotation of the representation (distributed alignment search: Geiger
 * and others, 2023): with W orthogonal, swap(base W, source W) Wᵀ. All dimensions unless
 * `interchangeDim` or the call's subspaces name some, which is the same as a plain interchange.
 *
 * It sees the units of a row concatenated, so it takes exactly `maxNumberOfUnits` of them. Computed
 * in float32 and cast back.
 *
 * @example
 * ```ts
 * import { RotatedSpaceIntervention, randn } from "tsvene";
 * const rotation = new RotatedSpaceIntervention({ embedDim: 8, interchangeDim: 3 });
 * console.log(rotation.forward(randn([2, 8]), randn([2, 8])).shape);
 * ```
 */
export class RotatedSpaceIntervention extends FeatureSwappingIntervention {
  override readonly trainable: boolean = true;
  override readonly concatenatesUnits: boolean = true;
  override readonly parameterKinds: Intervention["parameterKinds"] = { rotate_layer: "rotation" };
  /** The rotation, an orthogonal matrix [width, width], which is trained. */
  readonly rotate_layer: RotateLayer;
  readonly #featurizer: RotationFeaturizer;

  constructor(options: InterventionOptions) {
    super(options);
    const width = widthOf("RotatedSpaceIntervention", options);
    this.#featurizer = new RotationFeaturizer({ width });
    this.rotate_layer = layerOf(this.#featurizer);
  }

  override featurizerFor(): RotationFeaturizer {
    return this.#featurizer;
  }

  override forward(base: Tensor, source?: Tensor, context?: InterventionContext): Tensor {
    return this.edited(base, source, context).output;
  }
}
