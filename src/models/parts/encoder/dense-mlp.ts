import type { Activation } from "../../../nn/layers/activation.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { activation } from "../../settings/activations.ts";
import { initialLinear } from "../decoder/initial-linear.ts";

/** What a {@link DenseMLP} is made of. */
export interface DenseMLPOptions {
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width of the MLP's inner layer. */
  readonly intermediateSize: number;
  /** Name of the activation function. */
  readonly hiddenAct: string;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  /** The same of those that write to the residual stream. @default initializerRange */
  readonly outputRange?: number;
}

/** The MLP of image encoders: up to (often) four times the width and back. */
export class DenseMLP extends Module {
  /** The activation. */
  readonly activation_fn: Activation;
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly fc1: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's second layer. */
  readonly fc2: Linear;

  constructor({ hiddenSize, intermediateSize, hiddenAct, ...ranges }: DenseMLPOptions) {
    super();
    const { initializerRange, outputRange = initializerRange } = ranges;
    this.activation_fn = activation(hiddenAct);
    this.fc1 = initialLinear(hiddenSize, intermediateSize, { bias: true, std: initializerRange });
    this.fc2 = initialLinear(intermediateSize, hiddenSize, { bias: true, std: outputRange });
  }

  override forward(x: Tensor): Tensor {
    return this.fc2.forward(this.activation_fn.forward(this.fc1.forward(x)));
  }
}
