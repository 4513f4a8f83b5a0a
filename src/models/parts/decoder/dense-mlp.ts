import type { Activation } from "../../../nn/layers/activation.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { activation } from "../../settings/activations.ts";
import type { MLPPlaces } from "../layer-components.ts";
import { initialLinear } from "./initial-linear.ts";

/** Paths within a layer that keeps its {@link DenseMLP} as `mlp`. */
export const DENSE_PLACES: MLPPlaces = {
  input: ".mlp",
  output: ".mlp",
  addition: ".mlp_addition",
  activation: ".mlp.act",
};

/** What a {@link DenseMLP} is made of. */
export interface DenseMLPOptions {
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width of the MLP's inner layer. */
  readonly intermediateSize: number;
  /** Name of the activation function. */
  readonly act: string;
  /** Whether both layers have a bias. */
  readonly bias: boolean;
  /** Standard deviation of the weights to start from. */
  readonly std: number;
}

/** An MLP without a gate, under the names of Megatron: up to (often) four times the width and back. */
export class DenseMLP extends Module {
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly dense_h_to_4h: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's second layer. */
  readonly dense_4h_to_h: Linear;
  /** The activation. */
  readonly act: Activation;

  constructor({ hiddenSize, intermediateSize, act, bias, std }: DenseMLPOptions) {
    super();
    this.dense_h_to_4h = initialLinear(hiddenSize, intermediateSize, { bias, std });
    this.dense_4h_to_h = initialLinear(intermediateSize, hiddenSize, { bias, std });
    this.act = activation(act);
  }

  override forward(x: Tensor): Tensor {
    return this.dense_4h_to_h.forward(this.act.forward(this.dense_h_to_4h.forward(x)));
  }
}
