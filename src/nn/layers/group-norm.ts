import { ones, zeros } from "../../tensor/functions/creation.ts";
import { fail } from "../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { groupNorm } from "../functional/normalisation.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

/** Options of {@link GroupNorm}. */
export interface GroupNormOptions {
  /** Added to the variance. @default 1e-5 */
  readonly eps?: number;
}

/** Mean 0 and variance 1 in groups of channels of x [batch, channels, ...], then scale and shift. */
export class GroupNorm extends Module {
  /** Groups that the channels are divided into. */
  readonly groups: number;
  /** Added to the variance, against division by zero. */
  readonly eps: number;
  /** [channels] */
  readonly weight: Parameter;
  /** [channels] */
  readonly bias: Parameter;

  constructor(groups: number, channels: number, { eps = 1e-5 }: GroupNormOptions = {}) {
    super();
    if (channels % groups !== 0) {
      fail("GroupNorm", `${channels} channels do not part into ${groups} equal groups`);
    }
    this.groups = groups;
    this.eps = eps;
    this.weight = new Parameter(ones([channels]));
    this.bias = new Parameter(zeros([channels]));
  }

  /** `x` [batch, channels, ...] normalised within each group of channels, in its shape. */
  override forward(x: Tensor): Tensor {
    const { groups, eps } = this;
    return groupNorm(x, groups, { weight: this.weight.value, bias: this.bias.value, eps });
  }

  override describe(): string {
    return `${this.groups}, ${this.weight.value.shape.join(", ")}, eps=${this.eps}`;
  }
}
