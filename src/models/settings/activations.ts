import { ModelError } from "../../nn/errors.ts";
import { Activation } from "../../nn/layers/activation.ts";
import {
  gelu,
  hardswish,
  leakyRelu,
  mish,
  quickGelu,
  relu6,
  silu,
  softplus,
} from "../../nn/functional/activations.ts";
import type { Tensor } from "../../tensor/tensor.ts";

const exactGelu = (x: Tensor): Tensor => gelu(x);
const tanhGelu = (x: Tensor): Tensor => gelu(x, { approximate: "tanh" });

/** The integral of a normal distribution, of the mean and spread of Hugging Face's "laplace". */
function laplace(x: Tensor): Tensor {
  const scaled = x.sub(Math.SQRT1_2).div(0.282095 * Math.SQRT2);
  return scaled.erf().add(1).mul(0.5);
}

/**
 * The activation functions that configurations name, with Hugging Face's names. Those with learned
 * parameters ("prelu", "xielu") are not there: their checkpoints have weights for them.
 */
const ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  gelu: exactGelu,
  gelu_10: (x) => gelu(x).clamp({ min: -10, max: 10 }),
  gelu_accurate: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_new: tanhGelu,
  gelu_python: exactGelu,
  gelu_python_tanh: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  hardswish,
  laplace,
  leaky_relu: (x) => leakyRelu(x),
  linear: (x) => x,
  mish,
  quick_gelu: quickGelu,
  relu: (x) => x.relu(),
  relu2: (x) => x.relu().square(),
  relu6,
  sigmoid: (x) => x.sigmoid(),
  silu,
  sqrtsoftplus: (x) => softplus(x).sqrt(),
  swish: silu,
  tanh: (x) => x.tanh(),
};

/** Hugging Face's names of the activation functions that are there. */
export const ACTIVATION_NAMES: readonly string[] = Object.keys(ACTIVATIONS);

/** The named activation as a function. */
export function activationFunction(name: string): (x: Tensor) => Tensor {
  const apply = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (apply !== undefined) return apply;
  const known = ACTIVATION_NAMES.join(", ");
  throw new ModelError(`activation function "${name}" is not known; known are ${known}`);
}

/** The named activation as a module. */
export function activation(name: string): Activation {
  return new Activation(name, activationFunction(name));
}
