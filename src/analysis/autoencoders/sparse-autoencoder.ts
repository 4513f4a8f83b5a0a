import { type OptionNames, wrongWord } from "../../base/known-options.ts";
import type { FilesName } from "../../files/open-files.ts";
import { fail } from "../../interventions/errors.ts";
import { LatentFeaturizer } from "../../interventions/featurizers/autoencoder.ts";
import { registerLibraryFeaturizer } from "../../interventions/featurizers/registry.ts";
import { kaimingUniform } from "../../nn/init.ts";
import { Parameter } from "../../nn/parameter.ts";
import { initialized, withoutInit } from "../../nn/without-init.ts";
import { zeros } from "../../tensor/functions/creation.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SparseAutoencoderOptions, TrainedOn } from "./autoencoder-options.ts";
import { type InputScale, NORMALIZATIONS, scaleOf } from "./input-scale.ts";
import { ACTIVATIONS, type LatentArchitecture } from "./latent-activations.ts";
import { type AutoencoderFilesOptions, readAutoencoder } from "./read-autoencoder.ts";

const OP = "SparseAutoencoder";

/**
 * A sparse autoencoder: representations as latents of which few are not 0. With x' the representation,
 * scaled and less the decoder's bias where the options say so, and p = x' W_enc + b_enc:
 *
 * - `"standard"`: z = ReLU(p);
 * - `"jumprelu"`: z = ReLU(p) where p > threshold, else 0 (Rajamanoharan and others, 2024);
 * - `"gated"`: z = ReLU(x' (W_enc exp(r_mag)) + b_mag) where x' W_enc + b_gate > 0, else 0;
 * - `"topk"`: ReLU of the k largest of p, all others 0 (Gao and others, 2024).
 *
 * The way back is z W_dec + b_dec, scaled back. A **transcoder** encodes what goes into a module, such as an MLP,
 * and decodes to what comes out of it, with a linear map x W_skipᵀ of the former beside the latents where it has
 * one (Dunefsky and others, 2024; Paulo and others, 2025).
 *
 * It is a featuriser: an intervention on latents keeps what the
 * autoencoder cannot express, unless `errorTerm` is false. {@link SparseAutoencoder.fromPretrained} reads
 * trained ones, whose parameters are frozen; at first W_dec is random and W_enc its transpose.
 *
 * @example
 * ```ts
 * import { randn, SparseAutoencoder } from "tsvene";
 * const sae = new SparseAutoencoder({ width: 8, latentDim: 32, architecture: "topk", k: 4 });
 * const { features, error } = sae.featurize(randn([2, 8]));
 * console.log(features.shape, error?.shape); // [2, 32] and [2, 8]
 * ```
 */
export class SparseAutoencoder extends LatentFeaturizer {
  static override readonly optionNames: OptionNames<SparseAutoencoderOptions> = {
    ...LatentFeaturizer.optionNames,
    architecture: true,
    k: true,
    rescaleByDecoderNorm: true,
    transcoder: true,
    inputWidth: true,
    skip: true,
    subtractDecoderBias: true,
    normalize: true,
    centerInput: true,
    trainedOn: true,
  };
  /** How latents are made. */
  readonly architecture: LatentArchitecture;
  /** Of `"topk"`, how many latents are kept. */
  readonly k: number;
  /** Where it was trained. */
  readonly trainedOn: TrainedOn;
  override readonly transcodes: boolean;
  /** Width of what it encodes, which of a transcoder may be another than that of what it decodes to. */
  readonly inputWidth: number;
  // Names as in files.
  /** [inputWidth, latents] */
  readonly W_enc: Parameter;
  /** [latents, width] */
  readonly W_dec: Parameter;
  /** [latents]; all but `"gated"` have it. */
  readonly b_enc: Parameter | undefined;
  /** [width] */
  readonly b_dec: Parameter;
  /** [width, inputWidth], of transcoders with a linear map beside the latents. */
  readonly W_skip: Parameter | undefined;
  /** [latents], of `"jumprelu"`. */
  readonly threshold: Parameter | undefined;
  /** [latents], of `"gated"`, as the two that follow. */
  readonly b_gate: Parameter | undefined;
  /** [latents] */
  readonly b_mag: Parameter | undefined;
  /** [latents] */
  readonly r_mag: Parameter | undefined;
  readonly #options: SparseAutoencoderOptions;

  /** @throws InterventionError without `latentDim`, and for options that contradict each other. */
  constructor(options: SparseAutoencoderOptions) {
    super(OP, options);
    requireConsistent(options);
    this.#options = options;
    const { width, count } = this;
    this.architecture = options.architecture ?? "standard";
    this.k = options.k ?? count;
    this.trainedOn = options.trainedOn ?? {};
    this.transcodes = options.transcoder ?? false;
    this.inputWidth = options.inputWidth ?? width;
    const { latents } = ACTIVATIONS[this.architecture];
    const own = (name: string): Parameter | undefined =>
      latents.includes(name) ? new Parameter(zeros([count])) : undefined;
    this.W_dec = initialized([count, width], (shape) => kaimingUniform(shape));
    this.W_enc = initialized([this.inputWidth, count], (shape) =>
      this.transcodes ? kaimingUniform(shape) : this.W_dec.value.t().detach(),
    );
    this.b_enc = own("b_enc");
    this.b_dec = new Parameter(zeros([width]));
    this.W_skip =
      options.skip === true ? new Parameter(zeros([width, this.inputWidth])) : undefined;
    this.threshold = own("threshold");
    this.b_gate = own("b_gate");
    this.b_mag = own("b_mag");
    this.r_mag = own("r_mag");
  }

  /**
   * Reads a trained autoencoder, of these forms:
   *
   * - sae_lens': `cfg.json` and `sae_weights.safetensors`, of every version, transcoders too;
   * - Gemma Scope's: `params.npz`;
   * - sparsify's: `cfg.json` and `sae.safetensors`;
   * - dictionary_learning's: `config.json` and `ae.pt`.
   *
   * Its parameters are float32 and frozen.
   *
   * @param name - A directory, a repository of the Hugging Face Hub, a URL or a {@link FileSource}.
   * @throws TsveneError for files that are of none of these forms, and an architecture that is not known.
   *
   * @example
   * ```ts no-run
   * import { SparseAutoencoder } from "tsvene";
   * const sae = await SparseAutoencoder.fromPretrained("jbloom/GPT2-Small-SAEs-Reformatted", {
   *   folder: "blocks.8.hook_resid_pre",
   * });
   * console.log(sae.count, sae.trainedOn.hook); // 24576 latents
   * ```
   */
  static async fromPretrained(
    name: FilesName,
    options: AutoencoderFilesOptions = {},
  ): Promise<SparseAutoencoder> {
    const read = await readAutoencoder(`${OP}.fromPretrained`, name, options);
    return made(read.made, read.tensors);
  }

  /** [..., inputWidth] -> [..., latents] */
  override encode(h: Tensor): Tensor {
    const { W_enc, b_dec, transcodes } = this;
    const { subtractDecoderBias = !transcodes } = this.#options;
    const x = h.to(W_enc.dtype);
    const scaled = this.#scale(x)?.into(x) ?? x;
    const given = subtractDecoderBias ? scaled.sub(b_dec.value) : scaled;
    return ACTIVATIONS[this.architecture].encode(this, given);
  }

  /**
   * [..., latents] -> [..., width]
   * @param of - What the latents were made of, where representations are scaled before they are encoded, and for
   * a transcoder with a linear map beside its latents.
   */
  override decode(latents: Tensor, of?: Tensor): Tensor {
    const norms = this.decoderNorms();
    const plain = (norms === undefined ? latents : latents.div(norms))
      .matmul(this.W_dec.value)
      .add(this.b_dec.value);
    const { normalize = "none", skip = false } = this.#options;
    if (normalize === "none" && !skip) return plain;
    if (of === undefined) {
      const why = skip ? "skip: true" : `normalize: "${normalize}"`;
      return fail(OP, `with ${why} the way back depends on what was encoded: decode(latents, of)`);
    }
    if (skip) return plain.add(this.skipped(of));
    return this.#scale(of.to(plain.dtype))?.back(plain) ?? plain;
  }

  /** What a transcoder adds besides its latents: [..., inputWidth] -> [..., width], zeros without `skip`. */
  skipped(of: Tensor): Tensor {
    const { W_skip, W_enc } = this;
    if (W_skip === undefined) return zeros([...of.shape.slice(0, -1), this.width]);
    return of.to(W_enc.dtype).matmul(W_skip.value.t());
  }

  /**
   * The same transcoder for representations that a norm multiplies by `weight` and adds `bias` to, where it was
   * trained on what was not yet multiplied: those of TransformerLens, whose models have the norm's weights in those
   * after it (`fold_ln`), at `ln2.hook_normalized`.
   *
   * @param weight - [inputWidth], as the norm multiplies: Gemma's parameter plus 1.
   * @param bias - [inputWidth] @default zeros
   * @returns Another one, at the input of the MLP of the same layer.
   * @throws InterventionError for one that is no transcoder, another width, and weights of which one is 0.
   */
  async withNorm(
    weight: Tensor,
    bias: Tensor = zeros([this.inputWidth]),
  ): Promise<SparseAutoencoder> {
    const op = `${OP}.withNorm`;
    const { inputWidth, trainedOn } = this;
    if (!this.transcodes) fail(op, "only transcoders read what a norm gives");
    for (const [name, { shape }] of Object.entries({ weight, bias })) {
      if (shape.length === 1 && shape[0] === inputWidth) continue;
      fail(op, `${name} must be [${inputWidth}], got ${show(shape)}`);
    }
    if ((await weight.abs().min().item()) === 0) {
      fail(op, "a weight is 0, so that nothing can undo the norm");
    }
    const { W_enc, W_skip, b_enc, b_dec, ...others } = this.stateDict();
    const shift = bias.div(weight);
    const tensors = {
      ...others,
      ...(W_enc && { W_enc: W_enc.div(weight.unsqueeze(-1)) }),
      ...(W_enc && b_enc && { b_enc: b_enc.sub(shift.matmul(W_enc)) }),
      ...(W_skip && { W_skip: W_skip.div(weight) }),
      ...(b_dec && { b_dec: W_skip === undefined ? b_dec : b_dec.sub(W_skip.matmul(shift)) }),
    };
    await evaluate(...Object.values(tensors));
    const hook = trainedOn.hook?.replace("ln2.hook_normalized", "mlp.hook_in");
    return made({ ...this.#options, trainedOn: { ...trainedOn, ...(hook && { hook }) } }, tensors);
  }

  /** Norms of the decoder's rows, [latents], where latents are times these; undefined elsewhere. */
  decoderNorms(): Tensor | undefined {
    const { rescaleByDecoderNorm = false } = this.#options;
    return rescaleByDecoderNorm ? this.W_dec.value.square().sum({ dim: -1 }).sqrt() : undefined;
  }

  #scale(x: Tensor): InputScale | undefined {
    const { normalize = "none", centerInput = false } = this.#options;
    return scaleOf(normalize, centerInput, x);
  }
}

registerLibraryFeaturizer("sparseAutoencoder", SparseAutoencoder);

/** One with these parameters, frozen. */
function made(
  options: SparseAutoencoderOptions,
  tensors: Readonly<Record<string, Tensor>>,
): SparseAutoencoder {
  const sae = withoutInit(() => new SparseAutoencoder(options));
  sae.loadStateDict(tensors);
  sae.requiresGrad(false);
  return sae;
}

/** @throws InterventionError for options that say nothing together. */
function requireConsistent(options: SparseAutoencoderOptions): void {
  const { architecture = "standard", k, rescaleByDecoderNorm, normalize, latentDim } = options;
  const wrong =
    wrongWord("architecture", architecture, Object.keys(ACTIVATIONS)) ??
    wrongWord("normalize", normalize ?? "none", Object.keys(NORMALIZATIONS));
  if (wrong !== undefined) fail(OP, wrong);
  requireTranscoder(options);
  const isTopK = architecture === "topk";
  if (isTopK && !(Number.isSafeInteger(k) && Number(k) >= 1 && Number(k) <= latentDim)) {
    fail(OP, `k must be a number of latents from 1 to ${latentDim} for "topk", got ${String(k)}`);
  }
  if (!isTopK && k !== undefined) fail(OP, `k is for "topk", and not for "${architecture}"`);
  if (!isTopK && rescaleByDecoderNorm === true) {
    fail(OP, `rescaleByDecoderNorm is for "topk", and not for "${architecture}"`);
  }
}

/** @throws InterventionError for options that only one of both kinds has. */
function requireTranscoder(options: SparseAutoencoderOptions): void {
  const { transcoder = false, inputWidth, skip = false, subtractDecoderBias = false } = options;
  const { normalize = "none", centerInput = false } = options;
  if (inputWidth !== undefined && !(Number.isSafeInteger(inputWidth) && inputWidth >= 1)) {
    fail(OP, `inputWidth must be a whole number of 1 or more, got ${String(inputWidth)}`);
  }
  if (!transcoder) {
    if (skip) fail(OP, "skip is for transcoders: { transcoder: true, skip: true }");
    if (inputWidth === undefined || inputWidth === options.width) return;
    fail(OP, "inputWidth is for transcoders; another encodes what it decodes to, of one width");
  }
  if (!subtractDecoderBias && normalize === "none" && !centerInput) return;
  fail(
    OP,
    "a transcoder encodes another representation than it decodes to: leave out subtractDecoderBias, normalize " +
      "and centerInput",
  );
}
