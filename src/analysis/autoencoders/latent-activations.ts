import type { Parameter } from "../../nn/parameter.ts";
import { zerosLike } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** How latents of a sparse autoencoder are made; see `SparseAutoencoder`. */
export type LatentArchitecture = "standard" | "gated" | "jumprelu" | "topk";

/** What the ways to make latents read of an autoencoder. */
interface Encoder {
  readonly W_enc: Parameter;
  readonly b_enc: Parameter | undefined;
  readonly threshold: Parameter | undefined;
  readonly b_gate: Parameter | undefined;
  readonly b_mag: Parameter | undefined;
  readonly r_mag: Parameter | undefined;
  readonly k: number;
  decoderNorms(): Tensor | undefined;
}

/** A way to make latents. */
interface LatentActivation {
  /** Names of the parameters that have a number for each latent. */
  readonly latents: readonly string[];
  /** [..., width], scaled and centred, to [..., latents]. */
  readonly encode: (own: Encoder, x: Tensor) => Tensor;
}

/** All ways. */
export const ACTIVATIONS: { readonly [A in LatentArchitecture]: LatentActivation } = {
  standard: { latents: ["b_enc"], encode: (own, x) => plain(own, x).relu() },
  jumprelu: {
    latents: ["b_enc", "threshold"],
    encode: (own, x) => {
      const p = plain(own, x);
      return p.relu().mul(p.gt(valueOf(own.threshold)).to(p.dtype));
    },
  },
  gated: {
    latents: ["b_gate", "b_mag", "r_mag"],
    encode: ({ W_enc, b_gate, b_mag, r_mag }, x) => {
      const shared = x.matmul(W_enc.value);
      const isOpen = shared.add(valueOf(b_gate)).gt(0).to(shared.dtype);
      return shared.mul(valueOf(r_mag).exp()).add(valueOf(b_mag)).relu().mul(isOpen);
    },
  },
  topk: {
    latents: ["b_enc"],
    encode: (own, x) => {
      const p = plain(own, x);
      const norms = own.decoderNorms();
      const { values, indices } = (norms === undefined ? p : p.mul(norms)).topk(own.k);
      return zerosLike(p).scatter(-1, indices, values.relu());
    },
  },
};

function plain({ W_enc, b_enc }: Encoder, x: Tensor): Tensor {
  return x.matmul(W_enc.value).add(valueOf(b_enc));
}

function valueOf(parameter: Parameter | undefined): Tensor {
  if (parameter !== undefined) return parameter.value;
  throw new Error("internal: an autoencoder without the parameters of its architecture");
}
