import type { Buffer } from "../nn/buffer.ts";
import type { OptionNames } from "../base/known-options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { FeatureSwappingIntervention } from "./feature-intervention.ts";
import {
  type Components,
  PCAFeaturizer,
  principalComponents,
  requireComponents,
} from "./featurizers/pca.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOptions,
} from "./intervention.ts";

/** What a {@link PCARotatedSpaceIntervention} is built from. */
export interface PCAOptions extends InterventionOptions, Components {}

/**
 * Swaps principal components: with x̂ = (x - mean) / std and the components C, swap(base^ Cᵀ,
 * source^ Cᵀ) C std + mean. All components unless `interchangeDim` or the call's subspaces name
 * some. With fewer components than dimensions, what they
 * do not span is lost, as in pyvene; a {@link FeaturizedIntervention} with a {@link PCAFeaturizer} keeps it.
 *
 * It sees the units of a row concatenated. Nothing in it is learned.
 *
 * @example
 * ```ts
 * import { PCARotatedSpaceIntervention, randn } from "tsvene";
 * const activations = randn([200, 8]);
 * const pca = await PCARotatedSpaceIntervention.fit(activations, { interchangeDim: 2 });
 * console.log(pca.forward(randn([3, 8]), randn([3, 8])).shape);
 * ```
 */
export class PCARotatedSpaceIntervention extends FeatureSwappingIntervention {
  static override readonly optionNames: OptionNames<PCAOptions> = {
    ...Intervention.optionNames,
    components: true,
    mean: true,
    std: true,
  };
  override readonly concatenatesUnits: boolean = true;
  /** Orthonormal directions [components, width], the most important first. */
  readonly pca_components: Buffer;
  /** What is subtracted first, [width]. */
  readonly pca_mean: Buffer;
  /** What is then divided by, [width]. */
  readonly pca_std: Buffer;

  readonly #featurizer: PCAFeaturizer;

  /** @throws InterventionError for tensors whose shapes do not fit. */
  constructor(options: PCAOptions) {
    const { components, mean, std } = options;
    super({ ...options, embedDim: options.embedDim ?? components.shape[1] });
    const width = this.embedDim ?? 0;
    requireComponents("PCARotatedSpaceIntervention", options, width);
    this.#featurizer = new PCAFeaturizer({ components, mean, std, errorTerm: false });
    this.pca_components = this.#featurizer.components;
    this.pca_mean = this.#featurizer.mean;
    this.pca_std = this.#featurizer.std;
  }

  /**
   * The intervention with the principal components of standardised activations.
   *
   * @param activations - [samples, width]
   * @param options.components - How many to keep. @default all
   */
  static async fit(
    activations: Tensor,
    options: InterventionOptions & { readonly components?: number } = {},
  ): Promise<PCARotatedSpaceIntervention> {
    const { components, ...rest } = options;
    const op = "PCARotatedSpaceIntervention.fit";
    const fitted = await principalComponents(op, activations, components);
    return new PCARotatedSpaceIntervention({ ...rest, ...fitted });
  }

  override featurizerFor(): PCAFeaturizer {
    return this.#featurizer;
  }

  override forward(base: Tensor, source?: Tensor, context?: InterventionContext): Tensor {
    return this.edited(base, source, context).output;
  }
}
