import { fail } from "../../../nn/errors.ts";
import { attentionWeights, type ComponentSpec, type ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import type { Seq2SeqConfig } from "../../parts/seq2seq/seq2seq-language-model.ts";
import { ACTIVATION_NAMES } from "../../settings/activations.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  kind,
  type Kind,
  nonNegative,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** How feed-forward layers are made. */
export interface FeedForwardConfig {
  /** The activation, such as "relu", or "gated-gelu" for one that another projection gates. */
  readonly feedForwardProj: string;
  /** The activation. @default the one that feedForwardProj names */
  readonly denseActFn?: string | null;
  /** Whether another projection gates it. @default as feedForwardProj says */
  readonly isGatedAct?: boolean | null;
}

/** Settings of a T5, with Hugging Face's meanings and defaults. */
export interface T5Config extends Seq2SeqConfig, FeedForwardConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly dModel: number;
  /** Width of a head. */
  readonly dKv: number;
  /** Width inside the feed-forward layers. */
  readonly dFf: number;
  /** Layers of the encoder. */
  readonly numLayers: number;
  /** Layers of the decoder; null means as many. */
  readonly numDecoderLayers: number | null;
  /** Heads of each attention. */
  readonly numHeads: number;
  /** How many distances attention tells apart. */
  readonly relativeAttentionNumBuckets: number;
  /** The distance from which on it tells none apart. */
  readonly relativeAttentionMaxDistance: number;
  /** Share of activations that are dropped in training mode. */
  readonly dropoutRate: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEpsilon: number;
  /** Factor of the standard deviations of weights that no checkpoint gives. */
  readonly initializerFactor: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Divide what logits are made from by the root of dModel; null means tieWordEmbeddings. */
  readonly scaleDecoderOutputs: boolean | null;
  /** Classes of a classifier. */
  readonly numLabels: number;
  /** Share of a classifier's inner values that are dropped in training. */
  readonly classifierDropout: number;
}

const FEED_FORWARD = new RegExp(`^(gated-)?(${ACTIVATION_NAMES.join("|")})$`);

const feedForward: Kind<string> = kind(
  'the name of an activation function, such as "relu", or "gated-" and that',
  (v) => typeof v === "string" && FEED_FORWARD.test(v),
);

/** Distances are looked up in a table, which is made for all of them. */
const distance: Kind<number> = kind(
  "a whole number from 3 to 65536",
  (v) => Number.isInteger(v) && (v as number) > 2 && (v as number) <= 1 << 16,
);

const SETTINGS = defineSettings<T5Config>({
  name: "T5Config",
  modelType: "t5",
  rows: {
    vocabSize: width(32128),
    dModel: width(512, { names: ["hiddenSize"] }),
    dKv: width(64, { names: ["headDim"] }),
    dFf: width(2048),
    numLayers: count(6, { names: ["numHiddenLayers"] }),
    numDecoderLayers: count.orNull(null),
    numHeads: width(8, { names: ["numAttentionHeads"] }),
    relativeAttentionNumBuckets: width(32),
    relativeAttentionMaxDistance: distance(128),
    dropoutRate: fraction(0.1),
    layerNormEpsilon: nonNegative(1e-6),
    initializerFactor: nonNegative(1),
    feedForwardProj: feedForward("relu"),
    denseActFn: activationName.orNull(undefined),
    isGatedAct: flag.orNull(undefined),
    tieWordEmbeddings: flag(true),
    scaleDecoderOutputs: flag.orNull(null),
    numLabels: whole(2),
    classifierDropout: fraction(0),
    decoderStartTokenId: token.orNull(0),
    padTokenId: token.orNull(0),
    eosTokenId: tokens.orNull(1),
  },
  neutral: {
    isEncoderDecoder: { values: [true, null], why: "the model would have no decoder" },
  },
  inert: { nPositions: "distances have no bound; transformers does not read it" },
  numbered: [
    { path: "encoder.block", setting: "numLayers" },
    { path: "decoder.block", setting: "numDecoderLayers" },
  ],
  shapes: ({ numHeads, dKv }) => ({
    "shared.weight": ["vocabSize", "dModel"],
    "encoder.block.0.layer.0.SelfAttention.q.weight": [
      ["numHeads * dKv", numHeads * dKv],
      "dModel",
    ],
    "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": [
      "relativeAttentionNumBuckets",
      "numHeads",
    ],
    "encoder.block.0.layer.1.DenseReluDense.wo.weight": ["dModel", "dFf"],
  }),
  complete: (config) => {
    requireBuckets(config);
    return config;
  },
});

function requireBuckets(config: T5Config): void {
  const { relativeAttentionNumBuckets: buckets, relativeAttentionMaxDistance: most } = config;
  if (buckets % 4 !== 0) {
    fail(
      "T5Config",
      "relativeAttentionNumBuckets must be a multiple of 4, for near and far distances on both " +
        `sides, got ${buckets}`,
    );
  }
  if (most > buckets / 2) return;
  fail(
    "T5Config",
    `relativeAttentionMaxDistance (${most}) must be more than half of ` +
      `relativeAttentionNumBuckets (${buckets}): nearer distances have a bucket each`,
  );
}

/** A feed-forward layer's activation, and whether it is gated. */
export function feedForwardOf({ feedForwardProj, denseActFn, isGatedAct }: FeedForwardConfig): {
  readonly act: string;
  readonly gated: boolean;
} {
  const [, gate, name = ""] = FEED_FORWARD.exec(feedForwardProj) ?? [];
  // What is called so in checkpoints is the other approximation.
  const act = feedForwardProj === "gated-gelu" ? "gelu_new" : name;
  return { act: denseActFn ?? act, gated: isGatedAct ?? gate !== undefined };
}

/**
 * T5 settings: those given over the defaults, which are T5 small's.
 * @throws ModelError for settings that cannot be.
 */
export function t5Config(given: Partial<T5Config> = {}): T5Config {
  return SETTINGS.read(given);
}

/** How checkpoints of T5 are read. */
export const t5Family: ModelFamily<T5Config> = declareFamily(SETTINGS, {
  basePrefix: "transformer",
  // The first checkpoints have a table that was never used.
  ignored: [
    /^(transformer\.)?decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$/,
  ],
});

/** Of models that write nothing, into which the weights of those that do are read as well. */
export const t5BaseFamily: ModelFamily<T5Config> = {
  ...t5Family,
  ignored: [...(t5Family.ignored ?? []), /^(transformer\.)?lm_head\.weight$/],
};

/** Components of a T5's encoder and decoder. */
export type T5Component =
  | "encoder.block_input"
  | "encoder.block_output"
  | "encoder.attention_input"
  | "encoder.attention_output"
  | "encoder.attention_addition"
  | "encoder.attention_weight"
  | "encoder.self_attention_raw_output"
  | "encoder.attention_value_output"
  | "encoder.head_attention_value_output"
  | "encoder.mlp_input"
  | "encoder.mlp_output"
  | "encoder.mlp_addition"
  | "encoder.mlp_activation"
  | "decoder.block_input"
  | "decoder.block_output"
  | "decoder.attention_input"
  | "decoder.attention_output"
  | "decoder.attention_addition"
  | "decoder.attention_weight"
  | "decoder.attention_value_output"
  | "decoder.head_attention_value_output"
  | "decoder.cross_attention_input"
  | "decoder.cross_attention_output"
  | "decoder.cross_attention_addition"
  | "decoder.cross_attention_weight"
  | "decoder.cross_attention_value_output"
  | "decoder.head_cross_attention_value_output"
  | "decoder.mlp_input"
  | "decoder.mlp_output"
  | "decoder.mlp_addition"
  | "decoder.mlp_activation";

type Spec = ComponentSpec<T5Config>;

const streamWidth = ({ dModel }: T5Config): number => dModel;

const at = (path: string, side: "input" | "output"): Spec => ({
  path,
  side,
  dimension: streamWidth,
});

const inner = (path: string): Spec => ({
  ...at(path, "input"),
  dimension: ({ numHeads, dKv }) => numHeads * dKv,
});

const ofHeads = (spec: Spec): Spec => ({
  ...spec,
  heads: ({ numHeads }) => numHeads,
  dimension: ({ dKv }) => dKv,
});

const cross = "decoder.block.{layer}.layer.1.EncDecAttention";

const activated = (path: string): Spec => ({ ...at(path, "output"), dimension: ({ dFf }) => dFf });

const encoder = "encoder.block.{layer}";
const decoder = "decoder.block.{layer}";
const encoderMixed = inner(`${encoder}.layer.0.SelfAttention.o`);
const decoderMixed = inner(`${decoder}.layer.0.SelfAttention.o`);
const crossMixed = inner(`${cross}.o`);

/** Where the components of T5 are. Layers are those of the deeper half. */
export const t5Card: ModelCard<T5Config, T5Component> = {
  layers: ({ numLayers, numDecoderLayers }) => Math.max(numLayers, numDecoderLayers ?? numLayers),
  counts: {
    "": "target",
    encoder: "source",
    [`${cross}.k`]: "source",
    [`${cross}.v`]: "source",
  },
  components: {
    "encoder.block_input": at(encoder, "input"),
    "encoder.block_output": at(encoder, "output"),
    "encoder.attention_input": at(`${encoder}.layer.0`, "input"),
    "encoder.attention_addition": at(`${encoder}.layer.0.dropout`, "output"),
    "encoder.attention_output": at(`${encoder}.layer.0`, "output"),
    "encoder.attention_weight": attentionWeights(`${encoder}.layer.0.SelfAttention.dropout`),
    "encoder.self_attention_raw_output": at(`${encoder}.layer.0.SelfAttention`, "output"),
    "encoder.attention_value_output": encoderMixed,
    "encoder.head_attention_value_output": ofHeads(encoderMixed),
    "encoder.mlp_input": at(`${encoder}.layer.1`, "input"),
    "encoder.mlp_addition": at(`${encoder}.layer.1.dropout`, "output"),
    "encoder.mlp_output": at(`${encoder}.layer.1`, "output"),
    "encoder.mlp_activation": activated(`${encoder}.layer.1.DenseReluDense.act`),
    "decoder.block_input": at(decoder, "input"),
    "decoder.block_output": at(decoder, "output"),
    "decoder.attention_input": at(`${decoder}.layer.0`, "input"),
    "decoder.attention_addition": at(`${decoder}.layer.0.dropout`, "output"),
    "decoder.attention_output": at(`${decoder}.layer.0`, "output"),
    "decoder.attention_weight": attentionWeights(`${decoder}.layer.0.SelfAttention.dropout`),
    "decoder.attention_value_output": decoderMixed,
    "decoder.head_attention_value_output": ofHeads(decoderMixed),
    "decoder.cross_attention_input": at(`${decoder}.layer.1`, "input"),
    "decoder.cross_attention_addition": at(`${decoder}.layer.1.dropout`, "output"),
    "decoder.cross_attention_output": at(`${decoder}.layer.1`, "output"),
    "decoder.cross_attention_weight": attentionWeights(`${cross}.dropout`, "source"),
    "decoder.cross_attention_value_output": crossMixed,
    "decoder.head_cross_attention_value_output": ofHeads(crossMixed),
    "decoder.mlp_input": at(`${decoder}.layer.2`, "input"),
    "decoder.mlp_addition": at(`${decoder}.layer.2.dropout`, "output"),
    "decoder.mlp_output": at(`${decoder}.layer.2`, "output"),
    "decoder.mlp_activation": activated(`${decoder}.layer.2.DenseReluDense.act`),
  },
};
