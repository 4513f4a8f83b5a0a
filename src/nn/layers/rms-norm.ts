import { ones } from "../../tensor/functions/creation.ts";
import { rmsNorm } from "../../tensor/functions/normalisation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

/** Options of {@link RMSNorm}. */
export interface RMSNormOptions {
  /** Added to the mean square. @default float32's resolution, about 1.2e-7, as torch's */
  readonly eps?: number;
}

/**
 * x divided by its root mean square over the last dimensions, times a learned scale.
 *
 * @example
 * ```ts
 * import { RMSNorm, tensor } from "tsvene";
 * const y = new RMSNorm(2).forward(tensor([[3, 4]]));
 * console.log(await y.toArray()); // [[0.848..., 1.131...]]
 * ```
 */
export class RMSNorm extends Module {
  /** Sizes of the last dimensions, which are normalised together. */
  readonly shape: readonly number[];
  /** Added to the mean square, against division by zero. */
  readonly eps: number;
  /** Factors after normalising, in {@link shape}. */
  readonly weight: Parameter;

  constructor(shape: number | readonly number[], { eps = 2 ** -23 }: RMSNormOptions = {}) {
    super();
    this.shape = [shape].flat();
    this.eps = eps;
    this.weight = new Parameter(ones(this.shape));
  }

  /**
   * `x` [..., ...shape] divided by the root of its mean square over the last dimensions, then
   * scaled.
   */
  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.shape, { weight: this.weight.value, eps: this.eps });
  }

  override widthAt(): number | undefined {
    return this.shape.at(-1);
  }

  override describe(): string {
    return `[${this.shape.join(", ")}], eps=${this.eps}`;
  }
}
