import type { ModelFamily } from "../../model/family.ts";
import {
  decoderFamily,
  decoderRows,
  edgeShapes,
  type Given,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  flag,
  fraction,
  nonNegative,
  token,
  tokens,
} from "../../settings/kinds.ts";

/** Settings of a GPT-NeoX (Pythia), with Hugging Face's meanings and defaults. */
export interface GPTNeoXConfig extends RotaryConfig {
  readonly hiddenAct: string;
  readonly layerNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  readonly hiddenDropout: number;
  /** Let the MLP read what the attention reads, instead of what it wrote. */
  readonly useParallelResidual: boolean;
}

/** What settings GPT-NeoXs have. */
export const GPT_NEOX_SETTINGS: Settings<GPTNeoXConfig> = defineRotarySettings<GPTNeoXConfig>({
  name: "GPTNeoXConfig",
  modelType: "gpt_neox",
  rope: { ropeType: "default", ropeTheta: 10_000, partialRotaryFactor: 0.25 },
  names: {
    theta: ["ropeTheta", "rotaryEmbBase"],
    share: ["partialRotaryFactor", "rotaryPct"],
  },
  rows: {
    ...decoderRows({
      vocabSize: 50432,
      hiddenSize: 6144,
      intermediateSize: 24576,
      numHiddenLayers: 44,
      numAttentionHeads: 64,
      maxPositionEmbeddings: 2048,
    }),
    hiddenAct: activationName("gelu"),
    layerNormEps: nonNegative(1e-5),
    attentionBias: flag(true),
    hiddenDropout: fraction(0),
    useParallelResidual: flag(true),
    bosTokenId: token.orNull(0),
    eosTokenId: tokens.orNull(2),
  },
  shapes: ({ hiddenSize }) => ({
    ...edgeShapes("embed_in", "embed_out"),
    "layers.0.attention.query_key_value.weight": [["3 * hiddenSize", 3 * hiddenSize], "hiddenSize"],
    "layers.0.mlp.dense_h_to_4h.weight": ["intermediateSize", "hiddenSize"],
  }),
  // Dropout of classes of tokens, and names of dropout that no version has read.
  inert: ["classifierDropout", "attentionProbsDropoutProb", "hiddenDropoutProb"],
});

/** Settings as they may be given: in part, or under the names of transformers 4. */
export type GivenGPTNeoX = Given<GPTNeoXConfig, "rotaryPct" | "rotaryEmbBase">;

/** GPT-NeoX settings: those given over the defaults, which are those of the 20B model. */
export function gptNeoXConfig(given: GivenGPTNeoX = {}): GPTNeoXConfig {
  return GPT_NEOX_SETTINGS.read(given);
}

/** How checkpoints of GPT-NeoX are read. */
export const gptNeoXFamily: ModelFamily<GPTNeoXConfig> = decoderFamily(GPT_NEOX_SETTINGS, {
  basePrefix: "gpt_neox",
  // Causal masks and frequencies, which old versions saved as if they were weights.
  ignored: [/\.attention\.(?:(?:masked_)?bias|rotary_emb\.inv_freq)$/],
});
