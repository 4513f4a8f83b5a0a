import type { ModelConfig } from "../../settings/config.ts";
import type { SettingRows } from "../../settings/define-settings.ts";
import type { Neutral } from "../../settings/inert-fields.ts";
import { fraction, nonNegative, width } from "../../settings/kinds.ts";
import type { EncoderLayerConfig } from "./self-attention.ts";

/** The one way of knowing positions that BERTs have here. */
export const ABSOLUTE_POSITIONS: Neutral = {
  values: ["absolute", null],
  why: "attention would depend on distances too",
};

/** Sizes of an encoder's layers unless others are given. */
type LayerSizes = Pick<
  EncoderLayerConfig,
  "hiddenSize" | "intermediateSize" | "numAttentionHeads" | "hiddenDropoutProb"
>;

/** Rows of the settings that the layers of encoders of tokens share. */
export function encoderRows(
  sizes: LayerSizes,
): SettingRows<Omit<EncoderLayerConfig, keyof ModelConfig>> {
  const { hiddenSize, intermediateSize, numAttentionHeads, hiddenDropoutProb } = sizes;
  return {
    hiddenSize: width(hiddenSize),
    intermediateSize: width(intermediateSize),
    numAttentionHeads: width(numAttentionHeads),
    layerNormEps: nonNegative(1e-12),
    hiddenDropoutProb: fraction(hiddenDropoutProb),
    attentionProbsDropoutProb: fraction(hiddenDropoutProb),
    initializerRange: nonNegative(0.02),
  };
}
