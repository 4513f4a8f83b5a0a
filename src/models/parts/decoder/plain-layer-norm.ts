import { Module } from "../../../nn/module.ts";
import { layerNorm } from "../../../tensor/functions/normalisation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** Mean 0 and variance 1 over the last dimension, with nothing learned. */
export class PlainLayerNorm extends Module {
  override forward(x: Tensor): Tensor {
    return layerNorm(x, [x.size(-1)], { eps: 1e-5 });
  }
}
