import { TensorError } from "../../tensor/errors.ts";
import { checkedFields, requirePositive, withDefaults } from "../config.ts";
import type { ModelFamily } from "../family.ts";
import type { Seq2SeqConfig } from "../seq2seq/seq2seq-language-model.ts";

/** Settings of a T5, with Hugging Face's meanings and defaults. */
export interface T5Config extends Seq2SeqConfig {
  readonly vocabSize: number;
  readonly dModel: number;
  /** Width of a head. */
  readonly dKv: number;
  /** Width inside the feed-forward layers. */
  readonly dFf: number;
  /** Layers of the encoder. */
  readonly numLayers: number;
  /** Layers of the decoder; null stands for as many. */
  readonly numDecoderLayers: number | null;
  readonly numHeads: number;
  /** How many distances attention tells apart. */
  readonly relativeAttentionNumBuckets: number;
  /** The distance from which on it tells none apart. */
  readonly relativeAttentionMaxDistance: number;
  readonly dropoutRate: number;
  readonly layerNormEpsilon: number;
  readonly initializerFactor: number;
  /** The activation, such as "relu", or "gated-gelu" for one that another projection gates. */
  readonly feedForwardProj: string;
  readonly tieWordEmbeddings: boolean;
  /** Divide what logits are made from by the root of dModel; null stands for tieWordEmbeddings. */
  readonly scaleDecoderOutputs: boolean | null;
  readonly numLabels: number;
  /** Share of a classifier's inner values that are dropped in training. */
  readonly classifierDropout: number;
}

const DEFAULTS: T5Config = {
  modelType: "t5",
  vocabSize: 32128,
  dModel: 512,
  dKv: 64,
  dFf: 2048,
  numLayers: 6,
  numDecoderLayers: null,
  numHeads: 8,
  relativeAttentionNumBuckets: 32,
  relativeAttentionMaxDistance: 128,
  dropoutRate: 0.1,
  layerNormEpsilon: 1e-6,
  initializerFactor: 1,
  feedForwardProj: "relu",
  tieWordEmbeddings: true,
  scaleDecoderOutputs: null,
  numLabels: 2,
  classifierDropout: 0,
  decoderStartTokenId: 0,
  padTokenId: 0,
  eosTokenId: 1,
};

/** A feed-forward layer's activation, and whether it is gated. */
export function feedForwardOf({ feedForwardProj: name }: Pick<T5Config, "feedForwardProj">): {
  readonly act: string;
  readonly gated: boolean;
} {
  const [, gate, act = ""] = /^(gated-)?(\w+)$/.exec(name) ?? [];
  if (act === "") {
    throw new TensorError(
      `T5Config: feedForwardProj "${name}" must be an activation's name, or "gated-" and that`,
    );
  }
  // What is called so in checkpoints is the other approximation.
  return { act: name === "gated-gelu" ? "gelu_new" : act, gated: gate !== undefined };
}

/**
 * T5 settings: those given over the defaults, which are T5 small's.
 * @throws TensorError for sizes that cannot be.
 */
export function t5Config(given: Partial<T5Config> = {}): T5Config {
  const config = withDefaults(DEFAULTS, given);
  const { vocabSize, dModel, dKv, dFf, numLayers, numHeads } = config;
  requirePositive("T5Config", {
    vocabSize,
    dModel,
    dKv,
    dFf,
    numLayers,
    numHeads,
    numDecoderLayers: config.numDecoderLayers ?? numLayers,
    numLabels: config.numLabels,
    relativeAttentionNumBuckets: config.relativeAttentionNumBuckets,
    relativeAttentionMaxDistance: config.relativeAttentionMaxDistance,
  });
  if (config.relativeAttentionNumBuckets % 4 !== 0) {
    throw new TensorError(
      "T5Config: relativeAttentionNumBuckets must be a multiple of 4, for near and far distances " +
        `on both sides, got ${config.relativeAttentionNumBuckets}`,
    );
  }
  feedForwardOf(config);
  return config;
}

/** How checkpoints of T5 are read. */
export const t5Family: ModelFamily<T5Config> = {
  modelType: "t5",
  readConfig: (fields) => t5Config(checkedFields("T5Config", DEFAULTS, fields)),
  basePrefix: "transformer",
  // The first checkpoints have a table that was never used.
  ignored: [
    /^(transformer\.)?decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$/,
  ],
};

/** Of models that write nothing, into which the weights of those that do are read as well. */
export const t5BaseFamily: ModelFamily<T5Config> = {
  ...t5Family,
  ignored: [...(t5Family.ignored ?? []), /^(transformer\.)?lm_head\.weight$/],
};
