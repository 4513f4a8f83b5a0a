import { orthogonal } from "../nn/init.ts";
import { Parameter } from "../nn/parameter.ts";
import { initialized } from "../nn/without-init.ts";
import { fail } from "./errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import { CodeSwappingIntervention } from "./code-swapping.ts";
import type { OptionNames } from "../base/known-options.ts";
import type { AutoencoderOptions } from "./autoencoder.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOutput,
  unitWidthOf,
} from "./intervention.ts";

/** What a {@link JumpReLUAutoencoderIntervention} is built from. */
export interface JumpReLUAutoencoderOptions extends AutoencoderOptions {
  /**
   * Add to the result what the autoencoder cannot express of the base, so that only the latents that
   * change have an effect. @default false
   */
  readonly errorTerm?: boolean;
}

/**
 * Swaps latents of a sparse autoencoder with jumping ReLUs (Rajamanoharan and others, 2024), and puts
 * back what they decode to: with p = x W_enc + b_enc, z = p where p > threshold, else 0 (and never
 * below 0), and x = z W_dec + b_dec. All latents unless `interchangeDim` or the call's subspaces name
 * some. Hands out the code that is decoded as `latent`.
 *
 * Load trained weights with `loadStateDict`; at first W_dec is random and W_enc its transpose. The
 * threshold has no gradient.
 *
 * @example
 * ```ts
 * import { JumpReLUAutoencoderIntervention, randn } from "tsvene";
 * const sae = new JumpReLUAutoencoderIntervention({ embedDim: 8, latentDim: 32, errorTerm: true });
 * const { output, latent } = sae.forward(randn([1, 3, 8]), randn([1, 3, 8]), { subspaces: [4, 7] });
 * console.log(output.shape, latent?.shape); // [1, 3, 8] and [1, 3, 32]
 * ```
 */
export class JumpReLUAutoencoderIntervention extends CodeSwappingIntervention {
  static override readonly optionNames: OptionNames<JumpReLUAutoencoderOptions> = {
    ...Intervention.optionNames,
    latentDim: true,
    errorTerm: true,
  };
  override readonly trainable: boolean = true;
  /** Whether what the autoencoder misses of the base is added to its result. */
  readonly errorTerm: boolean;
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
  constructor(options: JumpReLUAutoencoderOptions) {
    const latents = latentsOf(options);
    const width = unitWidthOf("JumpReLUAutoencoderIntervention", options);
    super({
      ...options,
      embedDim: width,
      interchangeDim: options.interchangeDim ?? latents,
    });
    this.errorTerm = options.errorTerm ?? false;
    this.W_dec = initialized([latents, width], (shape) => orthogonal(shape));
    this.W_enc = new Parameter(transposed(this.W_dec.value));
    this.threshold = zeroed(latents);
    this.b_enc = zeroed(latents);
    this.b_dec = zeroed(width);
  }

  /** [..., width] -> [..., latents] */
  encode(x: Tensor): Tensor {
    const { W_enc, b_enc, threshold } = this;
    const before = x.to(W_enc.dtype).matmul(W_enc.value).add(b_enc.value);
    return before.gt(threshold.value).to(before.dtype).mul(before.relu());
  }

  /** [..., latents] -> [..., width] */
  decode(latent: Tensor): Tensor {
    return latent.matmul(this.W_dec.value).add(this.b_dec.value);
  }

  override forward(
    base: Tensor,
    source?: Tensor,
    context?: InterventionContext,
  ): InterventionOutput {
    const { code, swapped } = this.swapCode((x) => this.encode(x), base, source, context);
    const decoded = this.decode(swapped);
    const output = this.errorTerm ? decoded.add(base.sub(this.decode(code))) : decoded;
    return { output: output.to(base.dtype), latent: swapped };
  }
}

function latentsOf({ latentDim }: AutoencoderOptions): number {
  if (Number.isSafeInteger(latentDim) && latentDim >= 1) return latentDim;
  return fail(
    "JumpReLUAutoencoderIntervention",
    `latentDim, the number of latents, must be a whole number of 1 or more, got ${String(latentDim)}`,
  );
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
