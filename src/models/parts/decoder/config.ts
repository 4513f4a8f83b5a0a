import { fail } from "../../../nn/errors.ts";
import { type ModelConfig, requirePositive } from "../../settings/config.ts";
import { declareFamily, type DeclaredFamily, type ModelFamily } from "../../model/family.ts";
import type { ClaimedShapes, Dimension } from "../../settings/fits-checkpoint.ts";
import type { Settings } from "../../settings/define-settings.ts";
import {
  activationName,
  flag,
  fraction,
  nonNegative,
  type Setting,
  whole,
  width,
  count,
} from "../../settings/kinds.ts";
import { type RopeParameters } from "./rope-parameters.ts";

/** Settings that decoders like Llama share, with Hugging Face's meanings. */
export interface DecoderConfig extends ModelConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width inside the MLP. */
  readonly intermediateSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Heads of each attention. */
  readonly numAttentionHeads: number;
  /** Heads of keys and values, which groups of query heads share. @default as many as queries */
  readonly numKeyValueHeads?: number | null;
  /** Width of a head. @default hiddenSize / numAttentionHeads */
  readonly headDim?: number | null;
  /** Length that the model was trained for; longer texts are not refused. */
  readonly maxPositionEmbeddings: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionDropout: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

/** Widths of a decoder and of its heads. */
export type HeadSizes = Pick<
  DecoderConfig,
  "hiddenSize" | "numAttentionHeads" | "numKeyValueHeads" | "headDim"
>;

/** One kind of rotary embeddings, and the heads that are rotated. */
export interface RotaryHeads extends ModelConfig, HeadSizes {
  /** Settings of the rotary embeddings. */
  readonly ropeParameters: RopeParameters;
  /** Length of the texts that were trained on before longer ones. */
  readonly originalMaxPositionEmbeddings?: number | null;
}

/** Settings of a decoder with one kind of rotary embeddings. */
export interface RotaryConfig extends DecoderConfig, RotaryHeads {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Classes of a classifier. */
  readonly numLabels: number;
}

/** Settings of a decoder with gated MLPs and RMS norms, such as Llama. */
export interface GatedConfig extends RotaryConfig {
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
}

/** Settings as they may be given: in part, or under other names. */
export type Given<Config, Other extends string = never> = {
  readonly [K in keyof Config]?: K extends "ropeParameters" ? unknown : Config[K];
} & { readonly [K in "ropeTheta" | "ropeScaling" | "partialRotaryFactor" | Other]?: unknown };

/** Sizes that a family's decoders have unless others are given. */
export type DecoderSizes = Pick<
  DecoderConfig,
  | "vocabSize"
  | "hiddenSize"
  | "intermediateSize"
  | "numHiddenLayers"
  | "numAttentionHeads"
  | "maxPositionEmbeddings"
>;

/** Rows of settings that are the same in (almost) all families. */
type CommonRows = {
  readonly [
    K in
      | keyof DecoderSizes
      | "initializerRange"
      | "attentionDropout"
      | "tieWordEmbeddings"
      | "numLabels"
  ]: Setting<DecoderConfig[K]>;
};

/** Rows of the settings that decoders share. */
export function decoderRows(sizes: DecoderSizes): CommonRows {
  return {
    vocabSize: width(sizes.vocabSize),
    hiddenSize: width(sizes.hiddenSize),
    intermediateSize: width(sizes.intermediateSize),
    numHiddenLayers: count(sizes.numHiddenLayers),
    numAttentionHeads: width(sizes.numAttentionHeads),
    maxPositionEmbeddings: whole(sizes.maxPositionEmbeddings),
    initializerRange: nonNegative(0.02),
    attentionDropout: fraction(0),
    tieWordEmbeddings: flag(false),
    numLabels: whole(2),
  };
}

/** Rows of heads of keys and values, and of their width. */
export function headRows(
  numKeyValueHeads: number | null,
  headDim: number | null = null,
): { readonly [K in "numKeyValueHeads" | "headDim"]: Setting<number | null> } {
  return {
    numKeyValueHeads: width.orNull(numKeyValueHeads),
    headDim: width.orNull(headDim),
  };
}

/** Sizes of models with 7 billion parameters, which many families have unless others are given. */
export const SIZES_7B: Pick<DecoderSizes, "hiddenSize" | "numHiddenLayers" | "numAttentionHeads"> =
  { hiddenSize: 4096, numHiddenLayers: 32, numAttentionHeads: 32 };

/** Sizes of a decoder with gated MLPs and RMS norms unless others are given. */
export interface GatedSizes extends DecoderSizes {
  /** @default as many as queries have */
  readonly numKeyValueHeads?: number;
  /** @default hiddenSize / numAttentionHeads */
  readonly headDim?: number;
  /** @default 1e-6 */
  readonly rmsNormEps?: number;
}

type GatedRows = CommonRows & {
  readonly [K in "numKeyValueHeads" | "headDim" | "hiddenAct" | "rmsNormEps"]: Setting<
    Exclude<GatedConfig[K], undefined>
  >;
};

/** Rows of the settings that Llama and those like it share. */
export function gatedRows({
  numKeyValueHeads,
  headDim,
  rmsNormEps = 1e-6,
  ...sizes
}: GatedSizes): GatedRows {
  return {
    ...decoderRows(sizes),
    ...headRows(numKeyValueHeads ?? null, headDim ?? null),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(rmsNormEps),
  };
}

/** Width of a head. */
export function headDimOf({ headDim, hiddenSize, numAttentionHeads }: HeadSizes): number {
  return headDim ?? hiddenSize / numAttentionHeads;
}

/** Number of heads of keys and values. */
export function keyValueHeadsOf(config: HeadSizes): number {
  return config.numKeyValueHeads ?? config.numAttentionHeads;
}

/** @throws ModelError for a residual stream that heads do not share evenly. */
export function requireHeadSizes(family: string, config: HeadSizes): void {
  const { hiddenSize, numAttentionHeads, headDim = null } = config;
  const keyValueHeads = keyValueHeadsOf(config);
  if (headDim === null && hiddenSize % numAttentionHeads !== 0) {
    fail(
      family,
      `hiddenSize (${hiddenSize}) must be a multiple of numAttentionHeads ` +
        `(${numAttentionHeads}) unless headDim is given`,
    );
  }
  requirePositive(family, { headDim: headDimOf(config) });
  if (numAttentionHeads % keyValueHeads === 0) return;
  fail(
    family,
    `numAttentionHeads (${numAttentionHeads}) must be a multiple of ` +
      `numKeyValueHeads (${keyValueHeads})`,
  );
}

/** Shapes of a decoder's embeddings and heads, under the names of Llama. */
export function edgeShapes(embedding = "embed_tokens", head = "lm_head"): ClaimedShapes {
  return {
    [`${embedding}.weight`]: ["vocabSize", "hiddenSize"],
    [`${head}.weight`]: ["vocabSize", "hiddenSize"],
    "score.weight": ["numLabels", "hiddenSize"],
  };
}

/** Shapes of a Llama-like attention's projections in the first layer. */
export function attentionShapes(config: DecoderConfig): ClaimedShapes {
  const width = headDimOf(config);
  const heads: Dimension = ["numAttentionHeads * headDim", config.numAttentionHeads * width];
  const shared: Dimension = ["numKeyValueHeads * headDim", keyValueHeadsOf(config) * width];
  return {
    "layers.0.self_attn.q_proj.weight": [heads, "hiddenSize"],
    "layers.0.self_attn.k_proj.weight": [shared, "hiddenSize"],
    "layers.0.self_attn.o_proj.weight": ["hiddenSize", heads],
  };
}

/** Shapes of Llama's tensors. */
export function llamaShapes(config: DecoderConfig): ClaimedShapes {
  return {
    ...edgeShapes(),
    ...attentionShapes(config),
    "layers.0.mlp.gate_proj.weight": ["intermediateSize", "hiddenSize"],
  };
}

/** What Llama-like families say of themselves. */
export interface DecoderFamilyOptions extends Pick<ModelFamily, "ignored" | "slices"> {
  /** @default "model" */
  readonly basePrefix?: string;
}

/** How checkpoints of a Llama-like family are read. */
export function decoderFamily<Config extends DecoderConfig>(
  settings: Settings<Config>,
  {
    basePrefix = "model",
    // Frequencies, which old versions saved as if they were weights.
    ignored = [/\.rotary_emb\.inv_freq$/],
    ...rest
  }: DecoderFamilyOptions = {},
): DeclaredFamily<Config> {
  return declareFamily(settings, { ...rest, basePrefix, ignored });
}
