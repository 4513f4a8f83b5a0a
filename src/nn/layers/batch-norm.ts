import { ones, zeros } from "../../tensor/functions/creation.ts";
import { fail } from "../errors.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Buffer } from "../buffer.ts";
import { batchNorm } from "../functional/normalisation.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";
import { requireSizes } from "./require-sizes.ts";

/** Options of {@link BatchNorm1d} and {@link BatchNorm2d}. */
export interface BatchNormLayerOptions {
  /** Added to the variance. @default 1e-5 */
  readonly eps?: number;
  /** Weight of each batch in the running statistics. @default 0.1 */
  readonly momentum?: number;
}

/** What batch norms of any rank share. */
abstract class BatchNorm extends Module {
  /** Added to the variance, against division by zero. */
  readonly eps: number;
  /** Weight of a batch's statistics in the running ones while training. */
  readonly momentum: number;
  /** [channels] */
  readonly weight: Parameter;
  /** [channels] */
  readonly bias: Parameter;
  /** [channels] */
  readonly running_mean: Buffer;
  /** [channels] */
  readonly running_var: Buffer;
  /** How many batches it was trained on, int64 without dimensions. */
  readonly num_batches_tracked: Buffer;

  constructor(channels: number, { eps = 1e-5, momentum = 0.1 }: BatchNormLayerOptions = {}) {
    super();
    requireSizes(this.constructor.name, { channels });
    this.eps = eps;
    this.momentum = momentum;
    this.weight = new Parameter(ones([channels]));
    this.bias = new Parameter(zeros([channels]));
    this.running_mean = new Buffer(zeros([channels]));
    this.running_var = new Buffer(ones([channels]));
    this.num_batches_tracked = new Buffer(zeros([], { dtype: "int64" }));
  }

  /** `x` normalised, and the running statistics moved where it trains. */
  protected normalise(x: Tensor): Tensor {
    const { training, eps, momentum } = this;
    const { output, runningMean, runningVar } = batchNorm(x, {
      weight: this.weight.value,
      bias: this.bias.value,
      runningMean: this.running_mean.value,
      runningVar: this.running_var.value,
      training,
      eps,
      momentum,
    });
    if (!training) return output;
    if (runningMean !== undefined) this.running_mean.set(runningMean);
    if (runningVar !== undefined) this.running_var.set(runningVar);
    this.num_batches_tracked.set(this.num_batches_tracked.value.add(1));
    return output;
  }

  override describe(): string {
    return `${this.weight.value.shape.join(", ")}, eps=${this.eps}, momentum=${this.momentum}`;
  }
}

/**
 * Normalises each channel of x [batch, channels] or [batch, channels, length]: by the batch while
 * training, which moves the running statistics; by those statistics otherwise. Then a learned scale
 * and shift.
 */
export class BatchNorm1d extends BatchNorm {
  /** `x` [batch, channels] or [batch, channels, length] normalised by channel, in its shape. */
  override forward(x: Tensor): Tensor {
    if (x.ndim !== 2 && x.ndim !== 3) {
      const got = show(x.shape);
      fail("BatchNorm1d", `expected [batch, channels] or [batch, channels, length], got ${got}`);
    }
    return this.normalise(x);
  }
}

/**
 * Normalises each channel of x [batch, channels, height, width]: by the batch while training, which
 * moves the running statistics; by those statistics otherwise. Then a learned scale and shift.
 */
export class BatchNorm2d extends BatchNorm {
  /** `x` [batch, channels, height, width] normalised by channel, in its shape. */
  override forward(x: Tensor): Tensor {
    if (x.ndim !== 4) {
      fail("BatchNorm2d", `expected [batch, channels, height, width], got ${show(x.shape)}`);
    }
    return this.normalise(x);
  }
}
