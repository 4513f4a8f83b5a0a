import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { type AttentionOptions, DecoderAttention } from "./attention.ts";
import type { GatedConfig } from "./config.ts";
import { GatedMLP } from "./gated-mlp.ts";
import { PreNormLayer, type Transform } from "./layers.ts";
import type { DecoderParts } from "./rotary-decoder.ts";

/** What distinguishes a family's layers from Llama's. */
export interface PreNormOptions {
  /** The attention. */
  readonly attention?: AttentionOptions;
  /** Bias of the MLP's projections. @default false */
  readonly mlpBias?: boolean;
  /** Makes a norm of the residual stream. @default an RMSNorm */
  readonly norm?: () => Transform;
}

/** The layers of Llama and those like it, and the norm after the last. */
export function preNormParts(
  config: GatedConfig,
  { attention, mlpBias = false, norm = () => rmsNormOf(config) }: PreNormOptions = {},
): DecoderParts<PreNormLayer> {
  const layer = (): PreNormLayer =>
    new PreNormLayer({
      attention: new DecoderAttention(config, attention),
      mlp: new GatedMLP(config, { act: config.hiddenAct, bias: mlpBias }),
      norm,
    });
  return { layer, norm };
}

/** A norm of the residual stream, or of something of another width. */
export function rmsNormOf(
  { hiddenSize, rmsNormEps: eps }: Pick<GatedConfig, "hiddenSize" | "rmsNormEps">,
  width: number = hiddenSize,
): RMSNorm {
  return new RMSNorm(width, { eps });
}
