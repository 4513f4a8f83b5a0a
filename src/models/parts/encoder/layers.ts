import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { activation } from "../../settings/activations.ts";
import { initialLinear } from "../decoder/initial-linear.ts";
import type { EncoderLayerConfig } from "./self-attention.ts";

/** The first half of an MLP, with its activation. */
export class EncoderIntermediate extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** The activation. */
  readonly intermediate_act_fn: Activation;

  constructor(config: EncoderLayerConfig, act: string) {
    super();
    const { hiddenSize, intermediateSize, initializerRange: std } = config;
    this.dense = initialLinear(hiddenSize, intermediateSize, { bias: true, std });
    this.intermediate_act_fn = activation(act);
  }

  override forward(x: Tensor): Tensor {
    return this.intermediate_act_fn.forward(this.dense.forward(x));
  }
}

/** A projection back to the width of the model, added to what it was computed from, and a norm. */
export class EncoderOutputLayer extends Module {
  /** The linear layer. */
  readonly dense: Linear;
  /** The norm. */
  readonly LayerNorm: LayerNorm | undefined;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(
    inner: number,
    config: EncoderLayerConfig,
    { norm = false }: { readonly norm?: boolean } = {},
  ) {
    super();
    const { hiddenSize, initializerRange: std, hiddenDropoutProb } = config;
    this.dense = initialLinear(inner, hiddenSize, { bias: true, std });
    this.LayerNorm = norm ? new LayerNorm(hiddenSize, { eps: config.layerNormEps }) : undefined;
    this.dropout = new Dropout(hiddenDropoutProb);
  }

  override forward(x: Tensor, residual: Tensor): Tensor {
    const sum = this.dropout.forward(this.dense.forward(x)).add(residual);
    return this.LayerNorm?.forward(sum) ?? sum;
  }
}
