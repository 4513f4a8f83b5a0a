import type { AutoencoderFeaturizerOptions } from "../../interventions/featurizers/autoencoder.ts";
import type { Normalization } from "./input-scale.ts";
import type { LatentArchitecture } from "./latent-activations.ts";

/** Where an autoencoder was trained: what its files say. */
export interface TrainedOn {
  /** The model, as the files name it. */
  readonly model?: string;
  /** The place, such as `"blocks.8.hook_resid_pre"`; see `autoencoderSite`. */
  readonly hook?: string;
  /** Of a transcoder, the place that it writes, such as `"blocks.8.hook_mlp_out"`. */
  readonly hookOut?: string;
  /** Whether each text began with the token that begins texts. */
  readonly prependBos?: boolean;
  /** Tokens of a text. */
  readonly contextSize?: number;
}

/** What a `SparseAutoencoder` is built from: plain data. */
export interface SparseAutoencoderOptions extends AutoencoderFeaturizerOptions {
  /** How latents are made. @default "standard" */
  readonly architecture?: LatentArchitecture | undefined;
  /** Of `"topk"`, how many latents are kept. */
  readonly k?: number | undefined;
  /**
   * Of `"topk"`, whether latents are chosen, and given, times the norm of their row of the decoder.
   * @default false
   */
  readonly rescaleByDecoderNorm?: boolean | undefined;
  /**
   * Whether it is a transcoder, which decodes to what is at another place than it encodes, such as an MLP's
   * output and input.
   * @default false
   */
  readonly transcoder?: boolean | undefined;
  /** Of a transcoder, width of what it encodes. @default width, which is that of what it decodes to */
  readonly inputWidth?: number | undefined;
  /** Of a transcoder, whether a linear map of what was encoded is added to what it decodes to. @default false */
  readonly skip?: boolean | undefined;
  /**
   * Whether the decoder's bias is taken from what is encoded.
   * @default true, but false for a transcoder
   */
  readonly subtractDecoderBias?: boolean | undefined;
  /** How representations are scaled before they are encoded, which is undone after. @default "none" */
  readonly normalize?: Normalization | undefined;
  /** Whether the mean over the width is taken away first, as where weights that write were centred. @default false */
  readonly centerInput?: boolean | undefined;
  /** Where it was trained. @default not known */
  readonly trainedOn?: TrainedOn | undefined;
}
