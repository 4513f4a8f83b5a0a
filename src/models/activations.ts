import { TensorError } from "../tensor/errors.ts";
import { Activation } from "../nn/layers/activation.ts";
import { gelu, silu } from "../nn/functional/activations.ts";
import type { Tensor } from "../tensor/tensor.ts";

const tanhGelu = (x: Tensor): Tensor => gelu(x, { approximate: "tanh" });

/** The activation functions that configurations name, with Hugging Face's names. */
const ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  gelu: (x) => gelu(x),
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  quick_gelu: (x) => x.mul(x.mul(1.702).sigmoid()),
  relu: (x) => x.relu(),
  silu,
  swish: silu,
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
};

/** The named activation as a module. */
export function activation(name: string): Activation {
  const apply = ACTIVATIONS[name];
  if (apply === undefined) {
    const known = Object.keys(ACTIVATIONS).join(", ");
    throw new TensorError(`activation function "${name}" is not known; known are ${known}`);
  }
  return new Activation(name, apply);
}
