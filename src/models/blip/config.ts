import {
  checkedFields,
  type JsonValue,
  type ModelConfig,
  requirePositive,
  withDefaults,
} from "../config.ts";
import { requireHeads } from "../encoder/require-heads.ts";
import type { EncoderLayerConfig } from "../encoder/self-attention.ts";
import type { ModelFamily } from "../family.ts";
import type { Seq2SeqConfig } from "../seq2seq/seq2seq-language-model.ts";
import { type PatchConfig, requirePatches } from "../vision/patch-embedding.ts";

/** Settings of BLIP's layers for text, those that read and those that write. */
export interface BlipTextConfig extends ModelConfig, EncoderLayerConfig {
  readonly vocabSize: number;
  readonly numHiddenLayers: number;
  /** Width of what the layers look at: the image encoder's. */
  readonly encoderHiddenSize: number;
  /** Longest text. */
  readonly maxPositionEmbeddings: number;
  readonly hiddenAct: string;
  /** Begins answers. */
  readonly bosTokenId: number;
  /** Ends answers. */
  readonly sepTokenId: number;
  readonly padTokenId: number;
}

/** Settings of BLIP's image encoder. */
export interface BlipVisionConfig extends ModelConfig, PatchConfig {
  /** Width inside the MLPs. */
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly hiddenAct: string;
  readonly layerNormEps: number;
  readonly attentionDropout: number;
}

/** Settings of a BLIP, with Hugging Face's meanings and defaults. */
export interface BlipConfig extends Seq2SeqConfig {
  readonly textConfig: BlipTextConfig;
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
  readonly textConfig?: Partial<BlipTextConfig>;
  readonly visionConfig?: Partial<BlipVisionConfig>;
}

const TEXT: BlipTextConfig = {
  modelType: "blip_text_model",
  vocabSize: 30524,
  hiddenSize: 768,
  encoderHiddenSize: 768,
  intermediateSize: 3072,
  numHiddenLayers: 12,
  numAttentionHeads: 8,
  maxPositionEmbeddings: 512,
  hiddenAct: "gelu",
  layerNormEps: 1e-12,
  hiddenDropoutProb: 0,
  attentionProbsDropoutProb: 0,
  initializerRange: 0.02,
  bosTokenId: 30522,
  eosTokenId: 2,
  padTokenId: 0,
  sepTokenId: 102,
};

const VISION: BlipVisionConfig = {
  modelType: "blip_vision_model",
  hiddenSize: 768,
  intermediateSize: 3072,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  numChannels: 3,
  imageSize: 384,
  patchSize: 16,
  hiddenAct: "gelu",
  layerNormEps: 1e-5,
  attentionDropout: 0,
  initializerRange: 1e-10,
};

const DEFAULTS = {
  modelType: "blip",
  imageTextHiddenSize: 256,
  projectionDim: 512,
  logitScaleInitValue: 2.6592,
};

function checkLayers(name: string, config: BlipTextConfig | BlipVisionConfig): void {
  const { hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads } = config;
  requirePositive(name, { hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads });
  requireHeads(name, config);
}

/**
 * BLIP settings: those given over the defaults. The special tokens of the whole are the text's.
 * @throws TensorError for sizes that cannot be.
 */
export function blipConfig(given: PartialBlipConfig = {}): BlipConfig {
  const { textConfig = {}, visionConfig = {}, ...rest } = given;
  const config = withDefaults(DEFAULTS, rest);
  const vision = withDefaults(VISION, visionConfig);
  const text = { ...withDefaults(TEXT, textConfig), encoderHiddenSize: vision.hiddenSize };
  const { vocabSize, maxPositionEmbeddings, padTokenId, sepTokenId, bosTokenId } = text;
  const { numChannels, imageSize, patchSize } = vision;
  const { imageTextHiddenSize, projectionDim } = config;
  requirePositive("BlipConfig", { imageTextHiddenSize, projectionDim });
  requirePositive("BlipTextConfig", { vocabSize, maxPositionEmbeddings });
  requirePositive("BlipVisionConfig", { numChannels, imageSize, patchSize });
  requirePatches("BlipVisionConfig", vision);
  checkLayers("BlipTextConfig", text);
  checkLayers("BlipVisionConfig", vision);
  const tokens = { vocabSize, padTokenId, bosTokenId, eosTokenId: sepTokenId };
  return {
    ...config,
    ...tokens,
    decoderStartTokenId: bosTokenId,
    textConfig: text,
    visionConfig: vision,
  };
}

type Fields = Readonly<Record<string, JsonValue>>;

/** How checkpoints of BLIPs are read, of which each class has its own parts. */
export function blipFamily(architectures?: RegExp): ModelFamily<BlipConfig> {
  return {
    modelType: "blip",
    ...(architectures && { architectures }),
    readConfig: ({ textConfig, visionConfig, ...fields }) =>
      blipConfig({
        ...checkedFields("BlipConfig", DEFAULTS, fields),
        textConfig: checkedFields("BlipTextConfig", TEXT, (textConfig ?? {}) as Fields),
        visionConfig: checkedFields("BlipVisionConfig", VISION, (visionConfig ?? {}) as Fields),
      }),
    basePrefix: "blip",
    renamed: [[/\.predictions\.decoder\.bias$/, ".predictions.bias"]],
    // Numbers of positions, which old versions saved as if they were weights.
    ignored: [/embeddings\.position_ids$/],
  };
}

/** BLIP that answers questions. */
export const blipVqaFamily: ModelFamily<BlipConfig> = blipFamily();

/** BLIP that tells whether a text belongs to an image. */
export const blipItmFamily: ModelFamily<BlipConfig> = blipFamily(/ImageTextRetrieval/);

/** BLIP without a head, of which the others have no parts. */
export const blipBaseFamily: ModelFamily<BlipConfig> = blipFamily(/^BlipModel$/);
