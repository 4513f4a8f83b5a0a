import type { Activation } from "../../../nn/layers/activation.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { activation } from "../../settings/activations.ts";
import type { DecoderConfig } from "./config.ts";
import { initialLinear } from "./initial-linear.ts";

/** The MLP of Llama and those like it: down(act(gate(x)) * up(x)). */
export class GatedMLP extends Module {
  /** [..., hidden] -> [..., inner]: what the activation is taken of. */
  readonly gate_proj: Linear;
  /** [..., hidden] -> [..., inner]: what the activation is multiplied with. */
  readonly up_proj: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's last layer. */
  readonly down_proj: Linear;
  /** Its output is the gate only, before it is multiplied. */
  readonly act_fn: Activation;

  constructor(
    { hiddenSize, intermediateSize, initializerRange: std }: DecoderConfig,
    { act, bias = false }: { readonly act: string; readonly bias?: boolean },
  ) {
    super();
    this.gate_proj = initialLinear(hiddenSize, intermediateSize, { bias, std });
    this.up_proj = initialLinear(hiddenSize, intermediateSize, { bias, std });
    this.down_proj = initialLinear(intermediateSize, hiddenSize, { bias, std });
    this.act_fn = activation(act);
  }

  override forward(x: Tensor): Tensor {
    const gate = this.act_fn.forward(this.gate_proj.forward(x));
    return this.down_proj.forward(gate.mul(this.up_proj.forward(x)));
  }
}
