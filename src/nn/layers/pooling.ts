import type { Tensor } from "../../tensor/tensor.ts";
import {
  adaptiveAvgPool2d,
  avgPool2d,
  type AvgPoolOptions,
  maxPool2d,
  type MaxPoolOptions,
} from "../functional/pooling.ts";
import type { PerDimension } from "../functional/spatial.ts";
import { Module } from "../module.ts";

/** Largest value of each window of x [batch, channels, height, width]. */
export class MaxPool2d extends Module {
  readonly #kernel: PerDimension;
  readonly #options: MaxPoolOptions;

  constructor(kernel: PerDimension, options: MaxPoolOptions = {}) {
    super();
    this.#kernel = kernel;
    this.#options = options;
  }

  /** `[batch, channels, height, width]` -> the largest element of each window. */
  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#kernel, this.#options);
  }

  override describe(): string {
    return String(this.#kernel);
  }
}

/** Mean of each window of x [batch, channels, height, width]. */
export class AvgPool2d extends Module {
  readonly #kernel: PerDimension;
  readonly #options: AvgPoolOptions;

  constructor(kernel: PerDimension, options: AvgPoolOptions = {}) {
    super();
    this.#kernel = kernel;
    this.#options = options;
  }

  /** `[batch, channels, height, width]` -> the mean of each window. */
  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.#kernel, this.#options);
  }

  override describe(): string {
    return String(this.#kernel);
  }
}

/** Means of as many windows of x [batch, channels, height, width] as give the wanted size. */
export class AdaptiveAvgPool2d extends Module {
  readonly #size: PerDimension;

  constructor(size: PerDimension) {
    super();
    this.#size = size;
  }

  /** `[batch, channels, height, width]` -> means over parts, in the size that was asked for. */
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.#size);
  }

  override describe(): string {
    return String(this.#size);
  }
}
