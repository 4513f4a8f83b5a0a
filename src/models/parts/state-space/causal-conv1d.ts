import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { rand } from "../../../tensor/random/random.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** A convolution of each channel along the sequence that sees no later position. */
export class CausalConv1d extends Module {
  /** [channels, 1, kernel] */
  readonly weight: Parameter;
  /** [channels] */
  readonly bias: Parameter | undefined;

  constructor(channels: number, kernel: number, { bias }: { readonly bias: boolean }) {
    super();
    const bound = 1 / Math.sqrt(kernel);
    this.weight = initialized([channels, 1, kernel], (shape) =>
      rand(shape)
        .mul(2 * bound)
        .sub(bound),
    );
    this.bias = bias ? new Parameter(zeros([channels])) : undefined;
  }

  /**
   * @param x [batch, sequence, channels]
   * @param past [batch, kernel - 1, channels]: the inputs before these. @default zeros
   * @returns the result, of the shape of x, and the inputs that the next call needs.
   */
  override forward(x: Tensor, past?: Tensor): [result: Tensor, past: Tensor] {
    const [channels = 0, , kernel = 0] = this.weight.shape;
    const [batch = 0, steps = 0] = x.shape;
    const before = past ?? zeros([batch, kernel - 1, channels]);
    const all = cat([before, x], 1);
    const taps = this.weight.value.reshape([channels, kernel]).t();
    // A few products of whole sequences: grouped kernels take one channel at a time.
    let sum = all.slice(1, 0, steps).mul(taps.select(0, 0));
    for (let i = 1; i < kernel; i++) {
      sum = sum.add(all.slice(1, i, i + steps).mul(taps.select(0, i)));
    }
    const result = this.bias === undefined ? sum : sum.add(this.bias.value);
    return [result, all.slice(1, steps)];
  }

  override describe(): string {
    const [channels = 0, , kernel = 0] = this.weight.shape;
    return `${channels}, kernel=${kernel}`;
  }
}
