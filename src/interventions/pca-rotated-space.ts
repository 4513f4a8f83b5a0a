import { Buffer } from "../nn/buffer.ts";
import { fail } from "./errors.ts";
import type { OptionNames } from "../base/known-options.ts";
import { svd } from "../tensor/linalg/decompositions.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { CodeSwappingIntervention } from "./code-swapping.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOptions,
} from "./intervention.ts";

/** What a {@link PCARotatedSpaceIntervention} is built from. */
export interface PCAOptions extends InterventionOptions {
  /** Orthonormal directions, the most important first: [components, width]. */
  readonly components: Tensor;
  /** What is subtracted from a representation: [width]. */
  readonly mean: Tensor;
  /** What it is then divided by: [width]. */
  readonly std: Tensor;
}

/**
 * Swaps principal components: with x̂ = (x - mean) / std and the components C, swap(base^ Cᵀ,
 * source^ Cᵀ) C std + mean. All components unless `interchangeDim` or the call's subspaces name
 * some. With fewer components than dimensions, what they do not span is lost.
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
export class PCARotatedSpaceIntervention extends CodeSwappingIntervention {
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

  /** @throws InterventionError for tensors whose shapes do not fit. */
  constructor(options: PCAOptions) {
    const { components, mean, std } = options;
    super({ ...options, embedDim: options.embedDim ?? components.shape[1] });
    const width = this.embedDim ?? 0;
    const fits = [mean, std].every(({ ndim, numel }) => ndim === 1 && numel === width);
    if (components.ndim !== 2 || components.size(1) !== width || !fits) {
      const shapes = [components, mean, std].map(({ shape }) => show(shape)).join(", ");
      fail(
        "PCARotatedSpaceIntervention",
        `components, mean and std must be [components, ${width}], [${width}] and [${width}], got ${shapes}`,
      );
    }
    this.pca_components = new Buffer(components);
    this.pca_mean = new Buffer(mean);
    this.pca_std = new Buffer(std);
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
    if (activations.ndim !== 2 || activations.size(0) < 2) {
      fail(
        "PCARotatedSpaceIntervention.fit",
        `expected activations [samples, width] of at least 2 samples, got ${show(activations.shape)}`,
      );
    }
    const x = activations.detach().to("float32");
    const most = Math.min(...x.shape);
    const { components: count = most, ...rest } = options;
    if (!Number.isSafeInteger(count) || count < 1 || count > most) {
      fail(
        "PCARotatedSpaceIntervention.fit",
        `components must be a whole number from 1 to ${most}, got ${count}`,
      );
    }
    const mean = x.mean({ dim: 0 });
    const spread = x.sub(mean).square().mean({ dim: 0 }).sqrt();
    // A dimension that never varies stays as it is.
    const std = spread.maskedFill(spread.eq(0), 1);
    const { vh } = await svd(x.sub(mean).div(std));
    return new PCARotatedSpaceIntervention({
      ...rest,
      components: vh.slice(0, 0, count).detach(),
      mean,
      std,
    });
  }

  override forward(base: Tensor, source?: Tensor, context?: InterventionContext): Tensor {
    const [components, mean, std] = [
      this.pca_components.value,
      this.pca_mean.value,
      this.pca_std.value,
    ];
    const encode = (x: Tensor): Tensor =>
      x.to(components.dtype).sub(mean).div(std).matmul(components.t());
    const { swapped } = this.swapCode(encode, base, source, context);
    return swapped.matmul(components).mul(std).add(mean).to(base.dtype);
  }
}
