import { fail } from "../../tensor/errors.ts";
import type { ModelFamily } from "../family.ts";
import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import { requireOneOf } from "../../tensor/known-options.ts";

/** Settings of a GPT-Neo, with Hugging Face's meanings and defaults. */
export interface GPTNeoConfig extends ModelConfig {
  readonly vocabSize: number;
  /** Longest sequence. */
  readonly maxPositionEmbeddings: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  /** Width inside the MLP; null stands for 4 hiddenSize. */
  readonly intermediateSize: number | null;
  /** Which kinds of layers follow each other, and how often: `[[["global", "local"], 12]]`. */
  readonly attentionTypes: readonly AttentionTypes[];
  /** How many tokens each one sees in local layers, itself included. */
  readonly windowSize: number;
  readonly activationFunction: string;
  readonly residDropout: number;
  readonly embedDropout: number;
  readonly attentionDropout: number;
  readonly layerNormEpsilon: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
}

/** Kinds of layers, and how often they follow each other. */
export type AttentionTypes = readonly [kinds: readonly string[], times: number];

/** Whether a layer sees all tokens before each, or the last ones. */
export type GPTNeoLayerType = "global" | "local";

const DEFAULTS: GPTNeoConfig = {
  modelType: "gpt_neo",
  vocabSize: 50257,
  maxPositionEmbeddings: 2048,
  hiddenSize: 2048,
  numLayers: 24,
  numHeads: 16,
  intermediateSize: null,
  attentionTypes: [[["global", "local"], 12]],
  windowSize: 256,
  activationFunction: "gelu_new",
  residDropout: 0,
  embedDropout: 0,
  attentionDropout: 0,
  layerNormEpsilon: 1e-5,
  initializerRange: 0.02,
  tieWordEmbeddings: true,
  numLabels: 2,
  bosTokenId: 50256,
  eosTokenId: 50256,
  padTokenId: null,
};

/**
 * GPT-Neo settings: those given over the defaults, which are those of the 1.3B model.
 * @throws TensorError for sizes that cannot be.
 */
export function gptNeoConfig(given: Partial<GPTNeoConfig> = {}): GPTNeoConfig {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, maxPositionEmbeddings, hiddenSize, numLayers, numHeads, windowSize } = config;
  requirePositive("GPTNeoConfig", {
    vocabSize,
    maxPositionEmbeddings,
    hiddenSize,
    numLayers,
    numHeads,
    windowSize,
  });
  if (hiddenSize % numHeads !== 0) {
    fail("GPTNeoConfig", `hiddenSize (${hiddenSize}) must be a multiple of numHeads (${numHeads})`);
  }
  gptNeoLayerTypes(config);
  return config;
}

/**
 * The type of each layer.
 * @throws TensorError for an unknown type, and for more or fewer than there are layers.
 */
export function gptNeoLayerTypes(config: GPTNeoConfig): readonly GPTNeoLayerType[] {
  const { attentionTypes, numLayers } = config;
  const types = attentionTypes.flatMap(([kinds, times]) =>
    Array.from({ length: times }, () => kinds).flat(),
  );
  for (const type of types) {
    requireOneOf("GPTNeoConfig", "attentionTypes", type, ["global", "local"]);
  }
  if (types.length !== numLayers) {
    const got = JSON.stringify(attentionTypes);
    fail("GPTNeoConfig", `attentionTypes ${got} are ${types.length} layers, not ${numLayers}`);
  }
  return types as GPTNeoLayerType[];
}

/** How checkpoints of GPT-Neo are read. */
export const gptNeoFamily: ModelFamily<GPTNeoConfig> = {
  modelType: "gpt_neo",
  readConfig: (fields) => gptNeoConfig(checkedFields("GPTNeoConfig", DEFAULTS, fields)),
  basePrefix: "transformer",
  // Causal masks, which old versions saved as if they were weights.
  ignored: [/(?:^|\.)h\.\d+\.attn\.attention\.(?:masked_)?bias$/],
};
