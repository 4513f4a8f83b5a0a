import { requireSizes } from "./require-sizes.ts";
import { ones, zeros } from "../../tensor/functions/creation.ts";
import { layerNorm } from "../../tensor/functions/normalisation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance. @default 1e-5 */
  readonly eps?: number;
  /** @default true */
  readonly bias?: boolean;
}

/** Mean 0 and variance 1 over the last dimensions, then a learned scale and shift. */
export class LayerNorm extends Module {
  /** Sizes of the last dimensions, which are normalised together. */
  readonly shape: readonly number[];
  /** Added to the variance, against division by zero. */
  readonly eps: number;
  /** Factors after normalising, in {@link shape}. */
  readonly weight: Parameter;
  /** Summands after scaling, in {@link shape}; undefined without. */
  readonly bias: Parameter | undefined;

  constructor(
    shape: number | readonly number[],
    { eps = 1e-5, bias = true }: LayerNormOptions = {},
  ) {
    super();
    this.shape = [shape].flat();
    for (const size of this.shape) requireSizes("LayerNorm", { shape: size });
    this.eps = eps;
    this.weight = new Parameter(ones(this.shape));
    this.bias = bias ? new Parameter(zeros(this.shape)) : undefined;
  }

  /**
   * `x` [..., ...shape] with mean 0 and variance 1 over the last dimensions, then scaled and
   * shifted.
   */
  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.shape, {
      weight: this.weight.value,
      bias: this.bias?.value,
      eps: this.eps,
    });
  }

  override widthAt(): number | undefined {
    return this.shape.at(-1);
  }

  override describe(): string {
    return `[${this.shape.join(", ")}], eps=${this.eps}`;
  }
}
