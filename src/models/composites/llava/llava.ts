import { internal } from "../../../base/errors.ts";
import { fail } from "../../../nn/errors.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { CLIPVisionModel } from "../../families/clip/clip.ts";
import {
  CLIP_VISION_SETTINGS,
  type CLIPVisionConfig,
  clipVisionShapes,
} from "../../families/clip/config.ts";
import { type LlamaConfig, LlamaForCausalLM, LlamaModel } from "../../families/llama/llama.ts";
import { cardWithin } from "../../model/card-within.ts";
import type { ModelCard } from "../../model/card.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { llamaCard, type LlamaComponent } from "../../parts/decoder/card.ts";
import { type Given, headDimOf } from "../../parts/decoder/config.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
} from "../../parts/outputs.ts";
import { fillImages } from "../../parts/vision/fill-images.ts";
import type { ImageInputs } from "../../parts/vision/outputs.ts";
import { activation } from "../../settings/activations.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import type { ClaimedShapes } from "../../settings/fits-checkpoint.ts";
import {
  activationName,
  flag,
  kind,
  type Kind,
  nested,
  oneOf,
  token,
  width,
} from "../../settings/kinds.ts";

/** Settings of a LLaVA, with Hugging Face's meanings and defaults. */
export interface LlavaConfig extends ModelConfig {
  /** Settings of the model that reads or writes text. */
  readonly textConfig: LlamaConfig;
  /** Settings of the model that reads images. */
  readonly visionConfig: CLIPVisionConfig;
  /** The token that is replaced by each patch of an image. */
  readonly imageTokenIndex: number;
  /** Name of the activation between the projector's linear layers. */
  readonly projectorHiddenAct: string;
  /** Whether the projector's linear layers have a bias. */
  readonly multimodalProjectorBias: boolean;
  /** `default` leaves out the image encoder's first position, `full` does not. */
  readonly visionFeatureSelectStrategy: string;
  /**
   * Number of the image encoder's hidden state that is read, from the end if negative; or of several,
   * which are laid side by side.
   */
  readonly visionFeatureLayer: number | readonly number[];
  /** Whether the text's output matrix is that of its words' vectors. */
  readonly tieWordEmbeddings: boolean;
}

/** Some settings of a LLaVA. */
export interface PartialLlavaConfig extends Partial<
  Omit<LlavaConfig, "textConfig" | "visionConfig">
> {
  /** Settings of the model that reads and writes text. */
  readonly textConfig?: Given<LlamaConfig>;
  /** Settings of the model that reads images. */
  readonly visionConfig?: Partial<CLIPVisionConfig>;
}

/** The image encoder of LLaVA 1.5, where the configuration says nothing of it. */
const LLAVA_VISION = CLIP_VISION_SETTINGS.read({
  hiddenSize: 1024,
  intermediateSize: 4096,
  numHiddenLayers: 24,
  numAttentionHeads: 16,
  imageSize: 336,
  patchSize: 14,
});

const layers: Kind<number | readonly number[]> = kind(
  "a layer's number, or a list of such",
  (v) => Number.isSafeInteger(v) || (Array.isArray(v) && v.length > 0 && v.every(Number.isSafeInteger)), // prettier-ignore
);

const SETTINGS = defineSettings<LlavaConfig>({
  name: "LlavaConfig",
  modelType: "llava",
  rows: {
    textConfig: nested(LlamaModel.family.settings),
    visionConfig: nested(CLIP_VISION_SETTINGS, LLAVA_VISION),
    // The text's, whatever files say of the whole.
    vocabSize: width(undefined),
    imageTokenIndex: token(32000, { names: ["imageTokenId"] }),
    projectorHiddenAct: activationName("gelu"),
    multimodalProjectorBias: flag(true),
    visionFeatureSelectStrategy: oneOf(["default", "full"], "default"),
    visionFeatureLayer: layers(-2),
    tieWordEmbeddings: flag(false),
  },
  inert: {
    imageSeqLength: "an image has as many tokens as the image encoder gives of it",
  },
  numbered: [
    { path: "language_model.layers", setting: "textConfig.numHiddenLayers" },
    { path: "language_model.model.layers", setting: "textConfig.numHiddenLayers" },
    { path: "vision_tower.encoder.layers", setting: "visionConfig.numHiddenLayers" },
  ],
  shapes: (config) => ({
    ...textShapes("language_model", config),
    ...textShapes("language_model.model", config),
    ...clipVisionShapes("vision_tower", config.visionConfig),
  }),
  complete: completed,
});

/** Shapes that the text's settings say, at a path. */
function textShapes(path: string, { textConfig }: LlavaConfig): ClaimedShapes {
  const width = "textConfig.hiddenSize";
  const heads = textConfig.numAttentionHeads * headDimOf(textConfig);
  return {
    [`${path}.layers.0.self_attn.q_proj.weight`]: [
      ["textConfig.numAttentionHeads * textConfig.headDim", heads],
      width,
    ],
    [`${path}.embed_tokens.weight`]: ["textConfig.vocabSize", width],
    [`${path}.layers.0.mlp.up_proj.weight`]: ["textConfig.intermediateSize", width],
  };
}

/** What a part decides: the special tokens of the whole are the text's, unless it has its own. */
function completed(config: LlavaConfig): LlavaConfig {
  const { textConfig, visionConfig } = config;
  const states = visionConfig.numHiddenLayers + 1;
  const wrong = featureLayers(config).find((layer) => layer < -states || layer >= states);
  if (wrong !== undefined) {
    fail(
      "LlavaConfig",
      `visionFeatureLayer ${wrong} is not one of the image encoder's ${states} hidden states`,
    );
  }
  // Older files say so of the text, newer ones of the whole.
  const tieWordEmbeddings = config.tieWordEmbeddings || textConfig.tieWordEmbeddings;
  const { vocabSize, padTokenId = null, eosTokenId = null, bosTokenId = null } = textConfig;
  const text = { ...textConfig, tieWordEmbeddings };
  const tokens = { padTokenId, eosTokenId, bosTokenId };
  return { ...tokens, ...config, vocabSize, tieWordEmbeddings, textConfig: text };
}

/** Numbers of the hidden states that are read, from the end if negative. */
function featureLayers({ visionFeatureLayer: layer }: LlavaConfig): readonly number[] {
  return typeof layer === "number" ? [layer] : layer;
}

/**
 * LLaVA settings: those given over the defaults.
 * @throws ModelError for settings that cannot be.
 */
export function llavaConfig(given: PartialLlavaConfig = {}): LlavaConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of LLaVAs are read. */
const llavaFamily: ModelFamily<LlavaConfig> = declareFamily(SETTINGS, {
  basePrefix: "model",
  renamed: [
    [/^model\.language_model\./, "language_model.model."],
    [/^lm_head\./, "language_model.lm_head."],
    [/^model\.(vision_tower|multi_modal_projector)\./, "$1."],
    [/^vision_tower\.vision_model\./, "vision_tower."],
  ],
  // Numbers of positions, which old versions saved as if they were weights.
  ignored: [/embeddings\.position_ids$/],
});

/** The same of LLaVAs without a head, into which those with one are read as well. */
const llavaBaseFamily: ModelFamily<LlavaConfig> = {
  ...llavaFamily,
  renamed: [...(llavaFamily.renamed ?? []), [/^language_model\.model\./, "language_model."]],
  ignored: [...(llavaFamily.ignored ?? []), /^language_model\.lm_head\./],
};

function cardAt(path: string): ModelCard<LlavaConfig, LlamaComponent> {
  return {
    ...cardWithin(path, llamaCard, ({ textConfig }: LlavaConfig) => textConfig),
    counts: { vision_tower: "other", multi_modal_projector: "other" },
  };
}

/** Where the components of a LLaVA's language model are, in the model without a head. */
const llavaCard: ModelCard<LlavaConfig, LlamaComponent> = cardAt("language_model");

/** The same of a LLaVA that writes. */
const llavaWriterCard: ModelCard<LlavaConfig, LlamaComponent> = cardAt("language_model.model");

/** Inputs of a LLaVA without a head: a text with image tokens, and their images. */
export interface LlavaModelInputs extends DecoderInputs, Partial<ImageInputs> {}

/** The same of a LLaVA that writes. */
export interface LlavaInputs extends CausalLMInputs, Partial<ImageInputs> {}

/** What was seen in the images of a call. */
interface Seen {
  /** The patches as the language model reads them, [images, patches, width]; if there are images. */
  readonly imageHiddenStates?: Tensor;
}

/** Outputs of a LLaVA without a head. */
export interface LlavaModelOutput extends DecoderOutput, Seen {}

/** Outputs of a LLaVA that writes. */
export interface LlavaOutput extends CausalLMOutput, Seen {}

class LlavaMultiModalProjector extends Module {
  /** The first linear layer. */
  readonly linear_1: Linear;
  /** The activation. */
  readonly act: Activation;
  /** The second linear layer. */
  readonly linear_2: Linear;

  constructor(config: LlavaConfig) {
    super();
    const { textConfig, visionConfig } = config;
    const options = { bias: config.multimodalProjectorBias, std: textConfig.initializerRange };
    const width = textConfig.hiddenSize;
    const seen = visionConfig.hiddenSize * featureLayers(config).length;
    this.linear_1 = initialLinear(seen, width, options);
    this.act = activation(config.projectorHiddenAct);
    this.linear_2 = initialLinear(width, width, options);
  }

  override forward(x: Tensor): Tensor {
    return this.linear_2.forward(this.act.forward(this.linear_1.forward(x)));
  }
}

/** What sees images for the language model. */
interface Seeing extends Module {
  readonly config: LlavaConfig;
  /** Reads images. */
  readonly vision_tower: CLIPVisionModel;
  /** [..., vision hidden] -> [..., hidden]: patches of an image as tokens of the text. */
  readonly multi_modal_projector: LlavaMultiModalProjector;
}

/** Patches as the language model reads them, [images, patches, width]. */
function imageFeatures(model: Seeing, images: ImageInputs): Tensor {
  const { hiddenStates } = model.vision_tower.forward(images);
  const { visionFeatureSelectStrategy: strategy } = model.config;
  const features = featureLayers(model.config).map((layer) => {
    const seen = hiddenStates.at(layer) ?? internal("the layer was not checked");
    return strategy === "default" ? seen.slice(1, 1) : seen;
  });
  return model.multi_modal_projector.forward(cat(features, -1));
}

/** What the language model reads in place of ids and images, and what replaces these in it. */
function embedImages(
  model: Seeing,
  embedding: { readonly forward: (ids: Tensor) => Tensor },
  { inputIds, pixelValues }: { readonly inputIds: Tensor | undefined } & ImageInputs,
): { readonly inputsEmbeds: Tensor; readonly imageHiddenStates: Tensor } {
  const { name } = model.constructor;
  if (inputIds === undefined) fail(name, "images need inputIds, to say where they belong");
  const imageHiddenStates = imageFeatures(model, { pixelValues });
  const images = { inputIds, imageTokenId: model.config.imageTokenIndex };
  const embedded = embedding.forward(inputIds);
  return { inputsEmbeds: fillImages(name, images, embedded, imageHiddenStates), imageHiddenStates };
}

/**
 * LLaVA without a head: a Llama that reads images as CLIP's image encoder sees them. Names of modules
 * and parameters are those of Hugging Face.
 */
export class LlavaModel extends PreTrainedModel {
  static readonly family: ModelFamily<LlavaConfig> = llavaBaseFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<LlavaConfig, LlamaComponent> = llavaCard;
  declare readonly "~components": LlamaComponent;
  readonly config: LlavaConfig;
  /** Reads images. */
  readonly vision_tower: CLIPVisionModel;
  /** [..., vision hidden] -> [..., hidden]: patches of an image as tokens of the text. */
  readonly multi_modal_projector: LlavaMultiModalProjector;
  /** Reads and writes texts. */
  readonly language_model: LlamaModel;

  constructor(config: PartialLlavaConfig = {}) {
    super();
    this.config = llavaConfig(config);
    this.vision_tower = new CLIPVisionModel(this.config.visionConfig);
    this.multi_modal_projector = new LlavaMultiModalProjector(this.config);
    this.language_model = new LlamaModel(this.config.textConfig);
  }

  /** Patches as the language model reads them, [images, patches, width]. */
  imageFeatures(images: ImageInputs): Tensor {
    return imageFeatures(this, images);
  }

  override forward({ pixelValues, ...inputs }: LlavaModelInputs): LlavaModelOutput {
    if (pixelValues === undefined) return this.language_model.forward(inputs);
    const { inputIds, ...rest } = inputs;
    const { embed_tokens } = this.language_model;
    const images = { inputIds, pixelValues };
    const { inputsEmbeds, ...seen } = embedImages(this, embed_tokens, images);
    return { ...this.language_model.forward({ ...rest, inputsEmbeds }), ...seen };
  }
}

/** LLaVA as it writes. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class LlavaForConditionalGeneration extends CausalLanguageModel {
  static readonly family: ModelFamily<LlavaConfig> = llavaFamily;
  static readonly card: ModelCard<LlavaConfig, LlamaComponent> = llavaWriterCard;
  declare readonly "~components": LlamaComponent;
  readonly config: LlavaConfig;
  /** Reads images. */
  readonly vision_tower: CLIPVisionModel;
  /** [..., vision hidden] -> [..., hidden]: patches of an image as tokens of the text. */
  readonly multi_modal_projector: LlavaMultiModalProjector;
  /** Reads and writes texts. */
  readonly language_model: LlamaForCausalLM;

  constructor(config: PartialLlavaConfig = {}) {
    super();
    const full = llavaConfig(config);
    this.config = full;
    this.vision_tower = new CLIPVisionModel(full.visionConfig);
    this.multi_modal_projector = new LlavaMultiModalProjector(full);
    this.language_model = new LlamaForCausalLM(full.textConfig);
  }

  override get maxLength(): number | undefined {
    return this.language_model.maxLength;
  }

  override changesAt(before: number, after: number): boolean {
    return this.language_model.changesAt(before, after);
  }

  override get imageInputs(): { readonly pixelValues: "prompt" } {
    return { pixelValues: "prompt" };
  }

  /** Patches as the language model reads them, [images, patches, width]. */
  imageFeatures(images: ImageInputs): Tensor {
    return imageFeatures(this, images);
  }

  override forward({ pixelValues, ...inputs }: LlavaInputs): LlavaOutput {
    if (pixelValues === undefined) return this.language_model.forward(inputs);
    const { inputIds, ...rest } = inputs;
    const { embed_tokens } = this.language_model.model;
    const images = { inputIds, pixelValues };
    const { inputsEmbeds, ...seen } = embedImages(this, embed_tokens, images);
    return { ...this.language_model.forward({ ...rest, inputsEmbeds }), ...seen };
  }
}
