import { internal } from "../../../base/errors.ts";
import { fail } from "../../../nn/errors.ts";
import { normalize } from "../../../nn/functional/normalisation.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { full, tensor } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { maskOf, noted } from "../../model/cache-notes.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { firstReal } from "../../model/mask.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { causalMask } from "../../parts/attention-mask.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import type { Encoded } from "../../parts/encoder/encode.ts";
import { paddingMask } from "../../parts/encoder/padding-mask.ts";
import { nextTokenLoss } from "../../parts/heads.ts";
import type { LayerPart } from "../../parts/layer-components.ts";
import type {
  Seq2SeqLMInputs,
  Seq2SeqLMOutput,
  Seq2SeqSource,
} from "../../parts/seq2seq/outputs.ts";
import { Seq2SeqLanguageModel } from "../../parts/seq2seq/seq2seq-language-model.ts";
import { type Contrast, contrast } from "../../parts/vision/contrast.ts";
import type { ImageInputs, ImageOutput } from "../../parts/vision/outputs.ts";
import {
  blipBaseFamily,
  blipCard,
  type BlipComponent,
  type BlipConfig,
  blipConfig,
  blipItmCard,
  type BlipItmComponent,
  blipItmFamily,
  blipVqaCard,
  blipVqaFamily,
  type PartialBlipConfig,
} from "./config.ts";
import { BlipTextLMHeadModel, BlipTextModel, type BlipTextOutput } from "./text.ts";
import { BlipVisionModel } from "./vision.ts";

export {
  type BlipTextConfig,
  type BlipVisionConfig,
  type BlipConfig,
  type PartialBlipConfig,
  blipConfig,
} from "./config.ts";

/** A question, and the image that it is about. */
export interface BlipQuestion extends Seq2SeqSource, Partial<ImageInputs> {}

/** What BLIP makes of a question that it has read beside the image. */
export interface BlipEncoded extends Encoded {
  /** What the image encoder gives, [batch, 1 + patches, width]. */
  readonly imageEmbeds: Tensor;
}

/** Inputs of a BLIP that answers questions. */
export interface BlipQuestionInputs extends Seq2SeqLMInputs, Partial<ImageInputs> {
  /** What was made of the question in an earlier call, in place of question and image. */
  readonly encoderOutputs?: BlipEncoded;
}

/** Outputs of a BLIP that answers questions. */
export interface BlipQuestionOutput extends Seq2SeqLMOutput {
  /** The same as `logits`, as pyvene names them. */
  readonly decoderLogits: Tensor;
  /** [batch, 1 + patches, width] */
  readonly imageEmbeds: Tensor;
}

/** Reads a text, with an eye on the image if there is one. */
function readText(
  encoder: BlipTextModel,
  { inputIds, inputsEmbeds, attentionMask }: Seq2SeqSource,
  source?: Tensor,
): BlipTextOutput {
  const tokens = { ...(inputIds && { inputIds }), ...(inputsEmbeds && { inputsEmbeds }) };
  const length = inputIds?.size(-1) ?? inputsEmbeds?.size(-2) ?? 0;
  const mask = attentionMask && paddingMask(attentionMask, length);
  return encoder.forward(tokens, { mask, attentionMask, ...(source && { source }) });
}

/**
 * BLIP that answers questions about images: it reads the question beside the image, and writes the
 * answer. Names of modules and parameters are those of Hugging Face's checkpoints.
 */
export class BlipForQuestionAnswering extends Seq2SeqLanguageModel {
  static readonly family: ModelFamily<BlipConfig> = blipVqaFamily;
  static readonly card: ModelCard<BlipConfig, BlipComponent> = blipVqaCard;
  declare readonly "~components": BlipComponent;
  readonly config: BlipConfig;
  /** Reads images. */
  readonly vision_model: BlipVisionModel;
  /** Reads texts. */
  readonly text_encoder: BlipTextModel;
  /** Writes texts. */
  readonly text_decoder: BlipTextLMHeadModel;

  constructor(config: PartialBlipConfig = {}) {
    super();
    const { textConfig, visionConfig, ...rest } = blipConfig(config);
    this.config = { ...rest, textConfig, visionConfig };
    this.vision_model = new BlipVisionModel(visionConfig);
    this.text_encoder = new BlipTextModel(textConfig);
    this.text_decoder = new BlipTextLMHeadModel(textConfig);
  }

  override get maxLength(): number {
    return this.config.textConfig.maxPositionEmbeddings;
  }

  override encode({ pixelValues, ...question }: BlipQuestion): BlipEncoded {
    if (pixelValues === undefined) {
      fail("BlipForQuestionAnswering", "give pixelValues, the image that the question is about");
    }
    const { lastHiddenState: imageEmbeds } = this.vision_model.forward({ pixelValues });
    return { ...readText(this.text_encoder, question, imageEmbeds), imageEmbeds };
  }

  /**
   * `decoderInputIds` [batch, target]: the answer so far, by default the start token; or `labels`,
   * the whole answer with the start token, of which each token is to give the next.
   */
  override forward(inputs: BlipQuestionInputs): BlipQuestionOutput {
    const { labels, pastKeyValues } = inputs;
    const encoded = inputs.encoderOutputs ?? this.encode(inputs);
    const { lastHiddenState: source, imageEmbeds } = encoded;
    const inputIds = inputs.decoderInputIds ?? labels ?? this.#start(source.size(0));
    const [past, queries] = [pastKeyValues?.[0]?.self.key.size(2) ?? 0, inputIds.size(-1)];
    const attentionMask = maskOf(inputs.decoderAttentionMask, pastKeyValues, queries);
    const output = this.text_decoder.forward(
      { inputIds },
      {
        mask: causalMask({ past, queries, attentionMask }),
        attentionMask,
        source,
        sourceMask: inputs.attentionMask && paddingMask(inputs.attentionMask, source.size(1)),
        past: pastKeyValues,
      },
    );
    return {
      logits: output.logits,
      decoderLogits: output.logits,
      ...(labels && { loss: nextTokenLoss(output.logits, labels, this.config.textConfig) }),
      imageEmbeds,
      pastKeyValues: noted(output.pastKeyValues, { attentionMask }),
      decoderHiddenStates: output.hiddenStates,
      decoderAttentions: output.attentions,
      crossAttentions: output.crossAttentions,
      encoderLastHiddenState: source,
      encoderHiddenStates: encoded.hiddenStates,
      encoderAttentions: encoded.attentions,
    };
  }

  #start(batch: number): Tensor {
    return full([batch, 1], this.config.textConfig.bosTokenId, { dtype: "int64" });
  }
}

/** Inputs of a BLIP without a head: texts and images, whose numbers may differ. */
export interface BlipInputs extends ImageInputs {
  /** [texts, sequence] int64 */
  readonly inputIds: Tensor;
  /** [texts, sequence], 1 for real tokens and 0 for padding. @default all real */
  readonly attentionMask?: Tensor;
  /** Give the loss of telling which text belongs to which image, the i-th to the i-th. */
  readonly returnLoss?: boolean;
}

/** Outputs of a BLIP without a head; each part has `poolerOutput`, one vector for each. */
export interface BlipOutput extends Contrast {
  /** What the model that reads texts gave. */
  readonly textModelOutput: BlipTextOutput & { readonly poolerOutput: Tensor };
  /** What the model that reads images gave. */
  readonly visionModelOutput: ImageOutput & { readonly poolerOutput: Tensor };
}

/**
 * BLIP without a head: an encoder of texts and one of images, whose vectors are compared. The other
 * BLIPs have parts of their own in place of the projections.
 */
export class BlipModel extends PreTrainedModel {
  static readonly family: ModelFamily<BlipConfig> = blipBaseFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<BlipConfig, LayerPart> = blipCard;
  declare readonly "~components": LayerPart;
  readonly config: BlipConfig;
  /** Reads texts. */
  readonly text_model: BlipTextModel;
  /** Reads images. */
  readonly vision_model: BlipVisionModel;
  /** [..., hidden] -> [..., shared width]: an image among texts. */
  readonly visual_projection: Linear;
  /** [..., hidden] -> [..., shared width]: a text among images. */
  readonly text_projection: Linear;
  /** Logarithm of the factor of similarities, without dimensions. */
  readonly logit_scale: Parameter;

  constructor(config: PartialBlipConfig = {}) {
    super();
    this.config = blipConfig(config);
    const { textConfig, visionConfig, projectionDim } = this.config;
    const options = { bias: false, std: textConfig.initializerRange };
    this.text_model = new BlipTextModel(textConfig, { pooler: true });
    this.vision_model = new BlipVisionModel(visionConfig);
    this.visual_projection = initialLinear(visionConfig.hiddenSize, projectionDim, options);
    this.text_projection = initialLinear(textConfig.hiddenSize, projectionDim, options);
    this.logit_scale = new Parameter(tensor(this.config.logitScaleInitValue));
  }

  override forward({ pixelValues, returnLoss = false, ...text }: BlipInputs): BlipOutput {
    const read = readText(this.text_model, text);
    const pooledText = read.poolerOutput ?? internal("a BLIP without a head pools");
    const seen = this.vision_model.forward({ pixelValues });
    // As in Hugging Face's code, the first patch is normed twice.
    const pooledImage = this.vision_model.post_layernorm.forward(seen.lastHiddenState.select(1, 0));
    const texts = this.text_projection.forward(pooledText);
    const images = this.visual_projection.forward(pooledImage);
    const options = { logitScale: this.logit_scale.value, returnLoss };
    return {
      ...contrast("BlipModel", [texts, images], options),
      textModelOutput: { ...read, poolerOutput: pooledText },
      visionModelOutput: { ...seen, poolerOutput: pooledImage },
    };
  }
}

/** Inputs of a BLIP that tells whether a text belongs to an image. */
export interface BlipRetrievalInputs extends ImageInputs {
  /** [batch, sequence] int64 */
  readonly inputIds: Tensor;
  /** [batch, sequence], 1 for real tokens and 0 for padding. @default all real */
  readonly attentionMask?: Tensor;
  /** Read each text beside its image, instead of comparing all texts with all images. @default true */
  readonly useItmHead?: boolean;
}

/** Outputs of a BLIP that tells whether a text belongs to an image. */
export interface BlipRetrievalOutput extends ImageOutput {
  /** [batch, 2]: logits of no and yes; without the head similarities, [images, texts]. */
  readonly itmScore: Tensor;
  /** What was read of the text, [batch, sequence, width]. */
  readonly questionEmbeds: Tensor;
}

/** BLIP that tells whether a text belongs to an image. */
export class BlipForImageTextRetrieval extends PreTrainedModel {
  static readonly family: ModelFamily<BlipConfig> = blipItmFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<BlipConfig, BlipItmComponent> = blipItmCard;
  declare readonly "~components": BlipItmComponent;
  readonly config: BlipConfig;
  /** Reads images. */
  readonly vision_model: BlipVisionModel;
  /** Reads texts. */
  readonly text_encoder: BlipTextModel;
  /** [..., hidden] -> [..., shared width]: an image among texts. */
  readonly vision_proj: Linear;
  /** [..., hidden] -> [..., shared width]: a text among images. */
  readonly text_proj: Linear;
  /** [..., hidden] -> [..., 2]: whether image and text do not or do belong together. */
  readonly itm_head: Linear;

  constructor(config: PartialBlipConfig = {}) {
    super();
    const full = blipConfig(config);
    const { textConfig, visionConfig, imageTextHiddenSize } = full;
    const options = { bias: true, std: textConfig.initializerRange };
    this.config = full;
    this.vision_model = new BlipVisionModel(visionConfig);
    this.text_encoder = new BlipTextModel(textConfig);
    this.vision_proj = initialLinear(visionConfig.hiddenSize, imageTextHiddenSize, options);
    this.text_proj = initialLinear(textConfig.hiddenSize, imageTextHiddenSize, options);
    this.itm_head = initialLinear(textConfig.hiddenSize, 2, options);
  }

  override forward(inputs: BlipRetrievalInputs): BlipRetrievalOutput {
    const { pixelValues, useItmHead = true, ...text } = inputs;
    const image = this.vision_model.forward({ pixelValues });
    const { lastHiddenState: imageEmbeds } = image;
    const seen = useItmHead ? imageEmbeds : undefined;
    const { lastHiddenState: questionEmbeds } = readText(this.text_encoder, text, seen);
    const first = firstReal(questionEmbeds, text.attentionMask);
    const itmScore = useItmHead
      ? this.itm_head.forward(first)
      : this.#similarities(imageEmbeds.select(1, 0), first);
    return { ...image, itmScore, questionEmbeds };
  }

  #similarities(image: Tensor, text: Tensor): Tensor {
    const images = normalize(this.vision_proj.forward(image), { dim: -1 });
    return images.matmul(normalize(this.text_proj.forward(text), { dim: -1 }).t());
  }
}
