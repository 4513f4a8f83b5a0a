import type { Activation } from "../../../nn/layers/activation.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { firstReal } from "../../model/mask.ts";
import { activation } from "../../settings/activations.ts";
import { initialLinear } from "../decoder/initial-linear.ts";

/** Sizes of a pooler. */
export interface PoolerOptions {
  /** Width of what is read. */
  readonly hiddenSize: number;
  /** Standard deviation of weights that no checkpoint gives. */
  readonly initializerRange: number;
  /** Width of what it gives. @default hiddenSize */
  readonly outputSize?: number | null;
  /** The activation. @default "tanh" */
  readonly act?: string;
}

/** What is said of a whole text or image, from its first token or patch. */
export class Pooler extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** The activation. */
  readonly activation: Activation;

  constructor({ hiddenSize, initializerRange: std, outputSize, act = "tanh" }: PoolerOptions) {
    super();
    this.dense = initialLinear(hiddenSize, outputSize ?? hiddenSize, { bias: true, std });
    this.activation = activation(act);
  }

  /**
   * [batch, sequence, width] -> [batch, width]
   * @param mask - [batch, sequence], which tokens are real. @default all
   */
  override forward(x: Tensor, mask?: Tensor): Tensor {
    return this.activation.forward(this.dense.forward(firstReal(x, mask)));
  }
}
