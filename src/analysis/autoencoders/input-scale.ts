import type { Tensor } from "../../tensor/tensor.ts";

/**
 * How representations are scaled before an autoencoder reads them, under the names that its files have:
 *
 * - `"none"`: not at all;
 * - `"constant_norm_rescale"`: to the norm sqrt(width);
 * - `"layer_norm"`: to mean 0 and standard deviation 1, of width - 1 degrees of freedom.
 */
export type Normalization = "none" | "constant_norm_rescale" | "layer_norm";

/** The scale of some representations, which is held when latents are changed. */
export interface InputScale {
  /** From a model's scale to the autoencoder's. */
  readonly into: (x: Tensor) => Tensor;
  /** From the autoencoder's scale to the model's. */
  readonly back: (x: Tensor) => Tensor;
}

const EPSILON = 1e-5;

/** The scale that each normalisation takes of representations. */
export const NORMALIZATIONS: {
  readonly [N in Normalization]: (x: Tensor) => InputScale | undefined;
} = {
  none: () => undefined,
  constant_norm_rescale: (x) => {
    const norm = x.square().sum({ dim: -1, keepdim: true }).sqrt();
    const factor = norm.mul(x.size(-1) ** -0.5);
    return { into: (y) => y.div(factor), back: (y) => y.mul(factor) };
  },
  layer_norm: (x) => {
    const mean = x.mean({ dim: -1, keepdim: true });
    const sum = x.sub(mean).square().sum({ dim: -1, keepdim: true });
    const deviation = sum.div(x.size(-1) - 1).sqrt();
    // Files are read as they were trained: the way back leaves out the epsilon.
    return {
      into: (y) => y.sub(mean).div(deviation.add(EPSILON)),
      back: (y) => y.mul(deviation).add(mean),
    };
  },
};

/** The scale of representations [..., width]; undefined where they are read as they are. */
export function scaleOf(
  normalize: Normalization,
  centerInput: boolean,
  x: Tensor,
): InputScale | undefined {
  const centred = centerInput ? x.sub(x.mean({ dim: -1, keepdim: true })) : x;
  const scale = NORMALIZATIONS[normalize](centred);
  if (!centerInput) return scale;
  const into = (y: Tensor): Tensor => y.sub(y.mean({ dim: -1, keepdim: true }));
  if (scale === undefined) return { into, back: (y) => y };
  return { into: (y) => scale.into(into(y)), back: scale.back };
}
