import type { OptionNames } from "../../base/known-options.ts";
import { Buffer } from "../../nn/buffer.ts";
import { svd } from "../../tensor/linalg/decompositions.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../errors.ts";
import { Featurizer, type FeaturizerOptions, requireWidth } from "./featurizer.ts";
import { momentsOf } from "./moments.ts";

/** What is known of principal components. */
export interface Components {
  /** Orthonormal directions, the most important first: [components, width]. */
  readonly components: Tensor;
  /** What is subtracted from a representation: [width]. */
  readonly mean: Tensor;
  /** What it is then divided by: [width]. */
  readonly std: Tensor;
}

/** What a {@link PCAFeaturizer} is built from. */
export interface PCAFeaturizerOptions extends FeaturizerOptions, Components {
  /** Keep what fewer components than dimensions do not span. @default true */
  readonly errorTerm?: boolean | undefined;
}

/**
 * Principal components of standardised representations, ((h - mean) / std) Cᵀ. With fewer components than
 * dimensions, what they do not span is the error term.
 *
 * @example
 * ```ts
 * import { PCAFeaturizer, randn } from "tsvene";
 * const pca = await PCAFeaturizer.fit(randn([200, 8]), { components: 3 });
 * const { features, error } = pca.featurize(randn([2, 8]));
 * console.log(features.shape, error?.shape); // [2, 3] and [2, 8]
 * ```
 */
export class PCAFeaturizer extends Featurizer {
  static override readonly optionNames: OptionNames<PCAFeaturizerOptions> = {
    ...Featurizer.optionNames,
    components: true,
    mean: true,
    std: true,
    errorTerm: true,
  };
  readonly width: number;
  readonly count: number;
  override readonly keepsError: boolean;
  /** Orthonormal directions [components, width], the most important first. */
  readonly components: Buffer;
  /** What is subtracted first, [width]. */
  readonly mean: Buffer;
  /** What is then divided by, [width]. */
  readonly std: Buffer;

  /** @throws InterventionError for tensors whose shapes do not fit. */
  constructor(options: PCAFeaturizerOptions) {
    super(options);
    const { components, errorTerm = true } = options;
    requireComponents("PCAFeaturizer", options, options.width ?? components.shape[1] ?? 0);
    this.width = requireWidth("PCAFeaturizer", options, components.size(1));
    this.count = components.size(0);
    this.keepsError = errorTerm && this.count < this.width;
    this.components = new Buffer(components);
    this.mean = new Buffer(options.mean);
    this.std = new Buffer(options.std);
  }

  /**
   * The principal components of activations.
   *
   * @param activations - [samples, width]
   * @param options.components - How many to keep. @default all
   */
  static async fit(
    activations: Tensor,
    options: { readonly components?: number; readonly errorTerm?: boolean } = {},
  ): Promise<PCAFeaturizer> {
    const { components, ...rest } = options;
    const fitted = await principalComponents("PCAFeaturizer.fit", activations, components);
    return new PCAFeaturizer({ ...rest, ...fitted });
  }

  /** ((h - mean) / std) Cᵀ */
  override encode(h: Tensor): Tensor {
    const components = this.components.value;
    return h.to(components.dtype).sub(this.mean.value).div(this.std.value).matmul(components.t());
  }

  /** features C std + mean */
  override decode(features: Tensor): Tensor {
    return features.matmul(this.components.value).mul(this.std.value).add(this.mean.value);
  }
}

/** @throws InterventionError for tensors whose shapes do not fit a width. */
export function requireComponents(
  op: string,
  { components, mean, std }: Components,
  width: number,
): void {
  const fits = [mean, std].every(({ ndim, numel }) => ndim === 1 && numel === width);
  if (components.ndim === 2 && components.size(1) === width && fits) return;
  const shapes = [components, mean, std].map(({ shape }) => show(shape)).join(", ");
  fail(
    op,
    `components, mean and std must be [components, ${width}], [${width}] and [${width}], got ${shapes}`,
  );
}

/**
 * Principal components of standardised activations.
 *
 * @param activations - [samples, width]
 * @param kept - How many to keep. @default all
 */
export async function principalComponents(
  op: string,
  activations: Tensor,
  kept: number | undefined,
): Promise<Components> {
  const { x, mean, std } = momentsOf(op, activations);
  const most = Math.min(...x.shape);
  const count = kept ?? most;
  if (!Number.isSafeInteger(count) || count < 1 || count > most) {
    fail(op, `components must be a whole number from 1 to ${most}, got ${count}`);
  }
  const { vh } = await svd(x.sub(mean).div(std));
  return { components: vh.slice(0, 0, count).detach(), mean, std };
}
