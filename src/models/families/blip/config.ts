import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { requireHeads } from "../../parts/encoder/require-heads.ts";
import { ABSOLUTE_POSITIONS, encoderRows } from "../../parts/encoder/rows.ts";
import type { EncoderLayerConfig } from "../../parts/encoder/self-attention.ts";
import { attentionParts, type LayerPart, mlpParts } from "../../parts/layer-components.ts";
import type { Seq2SeqConfig } from "../../parts/seq2seq/seq2seq-language-model.ts";
import { type PatchConfig, requirePatches } from "../../parts/vision/patch-embedding.ts";
import { patchRows, patchShape, positionCount, squareSizes } from "../../parts/vision/rows.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import type { ClaimedShapes } from "../../settings/fits-checkpoint.ts";
import {
  activationName,
  count,
  fraction,
  nested,
  nonNegative,
  number,
  token,
  tokens,
  width,
} from "../../settings/kinds.ts";

/** Settings of BLIP's layers for text, those that read and those that write. */
export interface BlipTextConfig extends ModelConfig, EncoderLayerConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Width of what the layers look at: the image encoder's. */
  readonly encoderHiddenSize: number;
  /** Longest text. */
  readonly maxPositionEmbeddings: number;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Share of the loss that is spread over all tokens, so that no answer is certain. */
  readonly labelSmoothing: number;
  /** Begins answers. */
  readonly bosTokenId: number;
  /** Ends answers. */
  readonly sepTokenId: number;
  /** Id of the padding token. */
  readonly padTokenId: number;
}

/** Settings of BLIP's image encoder. */
export interface BlipVisionConfig extends ModelConfig, PatchConfig {
  /** Width inside the MLPs. */
  readonly intermediateSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Heads of each attention. */
  readonly numAttentionHeads: number;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the variance in layer norms. */
  readonly layerNormEps: number;
  /** Share of attention weights that are dropped in training mode. */
  readonly attentionDropout: number;
}

/** Settings of a BLIP, with Hugging Face's meanings and defaults. */
export interface BlipConfig extends Seq2SeqConfig {
  /** Settings of the model that reads or writes text. */
  readonly textConfig: BlipTextConfig;
  /** Settings of the model that reads images. */
  readonly visionConfig: BlipVisionConfig;
  /** Width of the space in which texts and images are compared. */
  readonly imageTextHiddenSize: number;
  /** The same of a BLIP without a head. */
  readonly projectionDim: number;
  /** Logarithm of the factor of its similarities at the start. */
  readonly logitScaleInitValue: number;
}

/** Some settings of a BLIP. */
export interface PartialBlipConfig extends Partial<
  Omit<BlipConfig, "textConfig" | "visionConfig">
> {
  /** Settings of the model that reads or writes text. */
  readonly textConfig?: Partial<BlipTextConfig>;
  /** Settings of the model that reads images. */
  readonly visionConfig?: Partial<BlipVisionConfig>;
}

const COMPARED = "the projections are as wide as the whole model's projection_dim says";
const STARTED = "a model starts as initializer_range says, as in transformers";
const TIED = { values: [true, null], why: "the words' vectors would not be those of the logits" };

const TEXT = defineSettings<BlipTextConfig>({
  name: "BlipTextConfig",
  modelType: "blip_text_model",
  rows: {
    ...encoderRows({
      hiddenSize: 768,
      intermediateSize: 3072,
      numAttentionHeads: 8,
      hiddenDropoutProb: 0,
    }),
    vocabSize: width(30524),
    encoderHiddenSize: width(768),
    numHiddenLayers: count(12),
    maxPositionEmbeddings: width(512),
    hiddenAct: activationName("gelu"),
    labelSmoothing: fraction(0),
    bosTokenId: token(30522),
    eosTokenId: tokens.orNull(2),
    padTokenId: token(0),
    sepTokenId: token(102),
  },
  neutral: {
    isDecoder: { values: [true, null], why: "the layers would not look at images" },
    positionEmbeddingType: ABSOLUTE_POSITIONS,
    tieWordEmbeddings: TIED,
  },
  inert: {
    projectionDim: COMPARED,
    initializerFactor: STARTED,
    attentionDropout: "attention drops as attention_probs_dropout_prob says, as in transformers",
    dropout: "layers drop as hidden_dropout_prob says, as in transformers",
  },
  complete: (config) => {
    requireHeads("BlipTextConfig", config);
    return config;
  },
});

const VISION = defineSettings<BlipVisionConfig>({
  name: "BlipVisionConfig",
  modelType: "blip_vision_model",
  rows: {
    ...patchRows({ imageSize: 384, patchSize: 16, hiddenSize: 768, initializerRange: 1e-10 }),
    intermediateSize: width(3072),
    numHiddenLayers: count(12),
    numAttentionHeads: width(12),
    hiddenAct: activationName("gelu"),
    layerNormEps: nonNegative(1e-5),
    attentionDropout: fraction(0),
  },
  inert: {
    projectionDim: COMPARED,
    initializerFactor: STARTED,
    dropout: "there is none but attention's, as in transformers",
  },
  translate: squareSizes,
  complete: (config) => {
    requirePatches("BlipVisionConfig", config);
    requireHeads("BlipVisionConfig", config);
    return config;
  },
});

const TWICE = { values: [null], why: "it would set the part's settings again; leave it out" };

const SETTINGS = defineSettings<BlipConfig>({
  name: "BlipConfig",
  modelType: "blip",
  rows: {
    textConfig: nested(TEXT),
    visionConfig: nested(VISION),
    // The text's, whatever files say of the whole.
    vocabSize: width(undefined),
    imageTextHiddenSize: width(256),
    projectionDim: width(512),
    logitScaleInitValue: number(2.6592),
    decoderStartTokenId: token.orNull(undefined),
  },
  neutral: { textConfigDict: TWICE, visionConfigDict: TWICE, tieWordEmbeddings: TIED },
  inert: {
    initializerFactor: STARTED,
    initializerRange: "each part starts as its own initializer_range says",
    labelSmoothing: "the text's label_smoothing acts, as in transformers",
  },
  numbered: [
    { path: "text_encoder.encoder.layer", setting: "textConfig.numHiddenLayers" },
    { path: "text_model.encoder.layer", setting: "textConfig.numHiddenLayers" },
    { path: "vision_model.encoder.layers", setting: "visionConfig.numHiddenLayers" },
  ],
  shapes: ({ visionConfig }) => ({
    ...textShapes("text_encoder"),
    ...textShapes("text_model"),
    "vision_model.embeddings.patch_embedding.weight": patchShape("visionConfig."),
    "vision_model.embeddings.position_embedding": [
      ["1", 1],
      positionCount("visionConfig.", visionConfig),
      "visionConfig.hiddenSize",
    ],
    "vision_model.encoder.layers.0.mlp.fc1.weight": [
      "visionConfig.intermediateSize",
      "visionConfig.hiddenSize",
    ],
  }),
  complete: completed,
});

/** Shapes that the settings of layers for text say, at a path. */
function textShapes(path: string): ClaimedShapes {
  const width = "textConfig.hiddenSize";
  return {
    [`${path}.embeddings.word_embeddings.weight`]: ["textConfig.vocabSize", width],
    [`${path}.embeddings.position_embeddings.weight`]: ["textConfig.maxPositionEmbeddings", width],
    [`${path}.encoder.layer.0.intermediate.dense.weight`]: ["textConfig.intermediateSize", width],
  };
}

/** What a part decides: the special tokens of the whole are the text's. */
function completed(config: BlipConfig): BlipConfig {
  const { visionConfig } = config;
  const textConfig = { ...config.textConfig, encoderHiddenSize: visionConfig.hiddenSize };
  const { vocabSize, padTokenId, bosTokenId, sepTokenId: eosTokenId } = textConfig;
  const tokens = { vocabSize, padTokenId, bosTokenId, eosTokenId, decoderStartTokenId: bosTokenId };
  return { ...config, ...tokens, textConfig, visionConfig };
}

/**
 * BLIP settings: those given over the defaults. The special tokens of the whole are the text's.
 * @throws ModelError for settings that cannot be.
 */
export function blipConfig(given: PartialBlipConfig = {}): BlipConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of BLIPs are read, of which each class has its own parts. */
export function blipFamily(architectures?: RegExp): ModelFamily<BlipConfig> {
  return declareFamily(SETTINGS, {
    ...(architectures && { architectures }),
    basePrefix: "blip",
    renamed: [[/\.predictions\.decoder\.bias$/, ".predictions.bias"]],
    // Numbers of positions, which old versions saved as if they were weights.
    ignored: [/embeddings\.position_ids$/],
  });
}

/** BLIP that answers questions. */
export const blipVqaFamily: ModelFamily<BlipConfig> = blipFamily();

/** BLIP that tells whether a text belongs to an image. */
export const blipItmFamily: ModelFamily<BlipConfig> = blipFamily(/ImageTextRetrieval/);

/** BLIP without a head, of which the others have no parts. */
export const blipBaseFamily: ModelFamily<BlipConfig> = blipFamily(/^BlipModel$/);

/** Components of the attention to the image. */
type CrossPart =
  | "cross_attention_value_output"
  | "head_cross_attention_value_output"
  | "cross_attention_weight"
  | "cross_attention_output"
  | "cross_attention_addition"
  | "cross_attention_input";

/** Components of the layers of a BLIP that read text and look at the image. */
export type BlipComponent = LayerPart | CrossPart;

/** The same, and what tells whether a text belongs to an image. */
export type BlipItmComponent = BlipComponent | "itm_output";

const layerOf = (stack: string): string => `${stack}.encoder.layer.{layer}`;
const ATTENTION = {
  input: ".attention",
  output: ".attention.output",
  addition: ".attention.output.dropout",
  mixed: ".attention.output.dense",
  weight: ".attention.self.dropout",
  query: ".attention.self.query",
  key: ".attention.self.key",
  value: ".attention.self.value",
};
// As in pyvene, the activation is what goes into the function, not what comes out of it.
const MLP = {
  input: ".intermediate",
  output: ".output",
  addition: ".output.dropout",
  activation: ".intermediate.dense",
};
const SIZES = {
  width: ({ textConfig }: BlipConfig): number => textConfig.hiddenSize,
  inner: ({ textConfig }: BlipConfig): number => textConfig.intermediateSize,
  heads: ({ textConfig }: BlipConfig): number => textConfig.numAttentionHeads,
};

const partsOf = (stack: string): { readonly [K in LayerPart]: ComponentSpec<BlipConfig> } => ({
  ...attentionParts(layerOf(stack), ATTENTION, SIZES),
  ...mlpParts(layerOf(stack), MLP, SIZES),
});

const cross = attentionParts(
  layerOf("text_encoder"),
  {
    ...ATTENTION,
    input: ".crossattention",
    output: ".crossattention.output",
    addition: ".crossattention.output.dropout",
    mixed: ".crossattention.output.dense",
    weight: ".crossattention.self.dropout",
  },
  SIZES,
);

const components: { readonly [K in BlipComponent]: ComponentSpec<BlipConfig> } = {
  ...partsOf("text_encoder"),
  cross_attention_value_output: cross.attention_value_output,
  head_cross_attention_value_output: cross.head_attention_value_output,
  cross_attention_weight: { ...cross.attention_weight, keys: "other" },
  cross_attention_output: cross.attention_output,
  cross_attention_addition: cross.attention_addition,
  cross_attention_input: cross.attention_input,
};

const layers = ({ textConfig }: BlipConfig): number => textConfig.numHiddenLayers;

const crossOf = (stack: string): string => `${layerOf(stack)}.crossattention.self`;

/** What the question's layers look at are patches of the image. */
const seen = {
  vision_model: "other",
  [`${crossOf("text_encoder")}.key`]: "other",
  [`${crossOf("text_encoder")}.value`]: "other",
} as const;

/** Where the components of a BLIP without a head are: those of its encoder of texts. */
export const blipCard: ModelCard<BlipConfig, LayerPart> = {
  layers,
  counts: { vision_model: "other", visual_projection: "other" },
  components: partsOf("text_model"),
};

/** Where the components of a BLIP that answers questions are. */
export const blipVqaCard: ModelCard<BlipConfig, BlipComponent> = {
  layers,
  counts: {
    ...seen,
    text_encoder: "source",
    text_decoder: "target",
    [`${crossOf("text_decoder.bert")}.key`]: "source",
    [`${crossOf("text_decoder.bert")}.value`]: "source",
  },
  components,
};

/** Where the components are of a BLIP that tells whether a text belongs to an image. */
export const blipItmCard: ModelCard<BlipConfig, BlipItmComponent> = {
  layers,
  counts: { ...seen, vision_proj: "other" },
  components: {
    ...components,
    itm_output: { path: "itm_head", side: "output", dimension: () => 2 },
  },
};
