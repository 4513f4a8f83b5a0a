import { orthogonal } from "../../nn/init.ts";
import { Parameter } from "../../nn/parameter.ts";
import { initialized } from "../../nn/without-init.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { type AutoencoderFeaturizerOptions, LatentFeaturizer } from "./autoencoder.ts";

/**
 * Latents of a sparse autoencoder with jumping ReLUs (Rajamanoharan and others, 2024): with
 * p = x W_enc + b_enc, z = p where p > threshold, else 0 (and never below 0), and x = z W_dec + b_dec. What
 * it cannot express is the error term.
 *
 * Load trained weights with `loadStateDict`; at first W_dec is random and W_enc its transpose. The
 * threshold has no gradient.
 *
 * @example
 * ```ts
 * import { JumpReLUFeaturizer, randn } from "tsvene";
 * const sae = new JumpReLUFeaturizer({ width: 8, latentDim: 32 });
 * const { features, error } = sae.featurize(randn([2, 8]));
 * console.log(features.shape, error?.shape); // [2, 32] and [2, 8]
 * ```
 */
export class JumpReLUFeaturizer extends LatentFeaturizer {
  /** [width, latents] */
  readonly W_enc: Parameter;
  /** [latents, width] */
  readonly W_dec: Parameter;
  /** [latents] */
  readonly threshold: Parameter;
  /** [latents] */
  readonly b_enc: Parameter;
  /** [width] */
  readonly b_dec: Parameter;

  /** @throws InterventionError without `latentDim`. */
  constructor(options: AutoencoderFeaturizerOptions) {
    super("JumpReLUFeaturizer", options);
    const { width, count: latents } = this;
    this.W_dec = initialized([latents, width], (shape) => orthogonal(shape));
    this.W_enc = new Parameter(transposed(this.W_dec.value));
    this.threshold = zeroed(latents);
    this.b_enc = zeroed(latents);
    this.b_dec = zeroed(width);
  }

  /** [..., width] -> [..., latents] */
  override encode(x: Tensor): Tensor {
    const { W_enc, b_enc, threshold } = this;
    const before = x.to(W_enc.dtype).matmul(W_enc.value).add(b_enc.value);
    return before.gt(threshold.value).to(before.dtype).mul(before.relu());
  }

  /** [..., latents] -> [..., width] */
  override decode(latent: Tensor): Tensor {
    return latent.matmul(this.W_dec.value).add(this.b_dec.value);
  }
}

function zeroed(length: number): Parameter {
  return new Parameter(Tensor.fromData(new Float32Array(length), [length]));
}

/** Of a matrix with values, as values: a lazy one would make the first program another. */
function transposed(x: Tensor): Tensor {
  const [rows = 0, columns = 0] = x.shape;
  const { values } = x;
  if (values === undefined) return x.t();
  const turned = new Float32Array(x.numel);
  for (let i = 0; i < turned.length; i++) {
    turned[i] = Number(values[(i % rows) * columns + Math.floor(i / rows)]);
  }
  return Tensor.fromData(turned, [columns, rows]);
}
