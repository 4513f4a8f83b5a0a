import { checkedFields, type ModelConfig, requirePositive, withDefaults } from "../config.ts";
import type { ModelFamily } from "../family.ts";
import { TensorError } from "../../tensor/errors.ts";

/** Settings of a GPT-2, with Hugging Face's meanings and defaults. */
export interface GPT2Config extends ModelConfig {
  readonly vocabSize: number;
  /** Longest sequence. */
  readonly nPositions: number;
  /** Width of the residual stream. */
  readonly nEmbd: number;
  readonly nLayer: number;
  readonly nHead: number;
  /** Width inside the MLP; null stands for 4 nEmbd. */
  readonly nInner: number | null;
  readonly activationFunction: string;
  readonly residPdrop: number;
  readonly embdPdrop: number;
  readonly attnPdrop: number;
  readonly layerNormEpsilon: number;
  /** Divide attention scores by the square root of the heads' width. */
  readonly scaleAttnWeights: boolean;
  /** Divide them by the layer's number (from 1) too. */
  readonly scaleAttnByInverseLayerIdx: boolean;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
}

const DEFAULTS: GPT2Config = {
  modelType: "gpt2",
  vocabSize: 50257,
  nPositions: 1024,
  nEmbd: 768,
  nLayer: 12,
  nHead: 12,
  nInner: null,
  activationFunction: "gelu_new",
  residPdrop: 0.1,
  embdPdrop: 0.1,
  attnPdrop: 0.1,
  layerNormEpsilon: 1e-5,
  scaleAttnWeights: true,
  scaleAttnByInverseLayerIdx: false,
  tieWordEmbeddings: true,
  numLabels: 2,
  bosTokenId: 50256,
  eosTokenId: 50256,
  padTokenId: null,
};

/**
 * GPT-2 settings: those given over the defaults, which are GPT-2 small's.
 * @throws TensorError for sizes that cannot be.
 */
export function gpt2Config(given: Partial<GPT2Config> = {}): GPT2Config {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, nPositions, nEmbd, nLayer, nHead } = config;
  requirePositive("GPT2Config", { vocabSize, nPositions, nEmbd, nLayer, nHead });
  if (nEmbd % nHead !== 0) {
    throw new TensorError(`GPT2Config: nEmbd (${nEmbd}) must be a multiple of nHead (${nHead})`);
  }
  return config;
}

/** How checkpoints of GPT-2 are read. */
export const gpt2Family: ModelFamily<GPT2Config> = {
  modelType: "gpt2",
  readConfig: (fields) => gpt2Config(checkedFields("GPT2Config", DEFAULTS, fields)),
  basePrefix: "transformer",
  // Causal masks, which old versions saved as if they were weights.
  ignored: [/(?:^|\.)h\.\d+\.attn\.(?:masked_)?bias$/],
};
