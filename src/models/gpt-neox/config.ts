import type { ModelFamily } from "../family.ts";
import {
  DECODER_DEFAULTS,
  decoderFamily,
  type Given,
  rotaryConfig,
  type RotaryConfig,
} from "../decoder/config.ts";

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

const DEFAULTS: GPTNeoXConfig = {
  ...DECODER_DEFAULTS,
  modelType: "gpt_neox",
  vocabSize: 50432,
  hiddenSize: 6144,
  intermediateSize: 24576,
  numHiddenLayers: 44,
  numAttentionHeads: 64,
  hiddenAct: "gelu",
  maxPositionEmbeddings: 2048,
  layerNormEps: 1e-5,
  ropeParameters: { ropeType: "default", ropeTheta: 10_000, partialRotaryFactor: 0.25 },
  attentionBias: true,
  hiddenDropout: 0,
  useParallelResidual: true,
  bosTokenId: 0,
  eosTokenId: 2,
};

/** Settings as they may be given: in part, or under the names of transformers 4. */
export type GivenGPTNeoX = Given<GPTNeoXConfig> & {
  readonly rotaryPct?: unknown;
  readonly rotaryEmbBase?: unknown;
};

/** GPT-NeoX settings: those given over the defaults, which are those of the 20B model. */
export function gptNeoXConfig(given: GivenGPTNeoX = {}): GPTNeoXConfig {
  const { rotaryPct, rotaryEmbBase, ...rest } = given;
  return rotaryConfig("GPTNeoXConfig", DEFAULTS, {
    ...rest,
    ropeTheta: rest.ropeTheta ?? rotaryEmbBase,
    partialRotaryFactor: rest.partialRotaryFactor ?? rotaryPct,
  });
}

/** How checkpoints of GPT-NeoX are read. */
export const gptNeoXFamily: ModelFamily<GPTNeoXConfig> = decoderFamily({
  name: "GPTNeoXConfig",
  defaults: DEFAULTS,
  config: gptNeoXConfig,
  basePrefix: "gpt_neox",
  // Causal masks and frequencies, which old versions saved as if they were weights.
  ignored: [/\.attention\.(?:(?:masked_)?bias|rotary_emb\.inv_freq)$/],
});
