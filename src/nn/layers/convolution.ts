import { fail } from "../errors.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { conv1d, conv2d, type ConvOptions } from "../functional/convolution.ts";
import { perDimension, type PerDimension } from "../functional/spatial.ts";
import { uniform } from "../init.ts";
import { Module } from "../module.ts";
import type { Parameter } from "../parameter.ts";
import { initialized } from "../without-init.ts";

/** Options of {@link Conv1d} and {@link Conv2d}. */
export interface ConvLayerOptions extends ConvOptions {
  /** Add a learned vector. @default true */
  readonly bias?: boolean;
}

/** What convolutions of any rank share: parameters, and torch's values to start from. */
abstract class Convolution extends Module {
  /** [out, in / groups, ...kernel] */
  readonly weight: Parameter;
  /** [out] */
  readonly bias: Parameter | undefined;
  /** Stride, padding, dilation and groups. */
  protected readonly options: ConvOptions;

  constructor(
    name: string,
    [inChannels, outChannels]: readonly [number, number],
    kernel: readonly number[],
    { bias = true, ...options }: ConvLayerOptions,
  ) {
    super();
    const { groups = 1 } = options;
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      fail(name, `groups (${groups}) must divide both ${inChannels} and ${outChannels} channels`);
    }
    this.options = options;
    const shape = [outChannels, inChannels / groups, ...kernel];
    const bound =
      1 /
      Math.sqrt(
        Math.max(
          1,
          shape.slice(1).reduce((n, size) => n * size, 1),
        ),
      );
    const within = (s: Shape): Tensor => uniform(s, { low: -bound, high: bound });
    this.weight = initialized(shape, within);
    this.bias = bias ? initialized([outChannels], within) : undefined;
  }

  override describe(): string {
    const set = Object.entries(this.options).map(([key, value]) => `${key}=${String(value)}`);
    return [this.weight.value.shape.join("x"), ...set].join(", ");
  }
}

/**
 * Convolution of x [batch, in, length], as torch.nn.Conv1d; parameters start as torch's.
 *
 * @example
 * ```ts
 * import { Conv1d, ones } from "tsvene";
 * console.log(new Conv1d(3, 8, 5, { padding: 2 }).forward(ones([1, 3, 20])).shape); // [1, 8, 20]
 * ```
 */
export class Conv1d extends Convolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernel: PerDimension,
    options: ConvLayerOptions = {},
  ) {
    const size = perDimension("Conv1d", "kernel", kernel, 1, 1);
    super("Conv1d", [inChannels, outChannels], size, options);
  }

  /** `[batch, in, length] -> [batch, out, length']` */
  override forward(x: Tensor): Tensor {
    return conv1d(x, this.weight.value, this.bias?.value, this.options);
  }
}

/**
 * Convolution of x [batch, in, height, width], as torch.nn.Conv2d; parameters start as torch's.
 *
 * @example
 * ```ts
 * import { Conv2d, ones } from "tsvene";
 * console.log(new Conv2d(3, 8, 3, { stride: 2 }).forward(ones([1, 3, 9, 9])).shape); // [1, 8, 4, 4]
 * ```
 */
export class Conv2d extends Convolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernel: PerDimension,
    options: ConvLayerOptions = {},
  ) {
    const size = perDimension("Conv2d", "kernel", kernel, 2, 1);
    super("Conv2d", [inChannels, outChannels], size, options);
  }

  /** `[batch, in, height, width] -> [batch, out, height', width']` */
  override forward(x: Tensor): Tensor {
    return conv2d(x, this.weight.value, this.bias?.value, this.options);
  }
}
