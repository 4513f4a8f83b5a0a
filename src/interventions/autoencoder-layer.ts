import { Linear } from "../nn/layers/linear.ts";
import { Activation } from "../nn/layers/activation.ts";
import { Module } from "../nn/module.ts";
import { Sequential } from "../nn/module-list.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** An autoencoder of one hidden layer: z = ReLU(W (x - b) + c), and back x = V z + b. */
export class AutoencoderLayer extends Module {
  /** [..., width] -> [..., latents], for inputs that the decoder's bias was taken from. */
  readonly encoder: Sequential;
  /** [..., latents] -> [..., width] */
  readonly decoder: Sequential;
  readonly #into: Linear;
  readonly #back: Linear;

  constructor(width: number, latents: number) {
    super();
    this.#into = new Linear(width, latents);
    this.#back = new Linear(latents, width);
    this.encoder = new Sequential(this.#into, new Activation("relu", (x) => x.relu()));
    this.decoder = new Sequential(this.#back);
  }

  /** [..., width] -> [..., latents] */
  encode(x: Tensor): Tensor {
    const centered = x.to(this.#into.weight.dtype);
    const { bias } = this.#back;
    return this.encoder.forward(bias === undefined ? centered : centered.sub(bias.value));
  }

  /** [..., latents] -> [..., width] */
  decode(latent: Tensor): Tensor {
    return this.decoder.forward(latent);
  }

  /** `x` encoded and decoded. */
  override forward(x: Tensor): Tensor {
    return this.decode(this.encode(x)).to(x.dtype);
  }
}
