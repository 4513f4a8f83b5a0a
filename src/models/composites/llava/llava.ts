import type { Activation } from "../../../nn/layers/activation.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { internal } from "../../../base/errors.ts";
import { fail } from "../../../nn/errors.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { activation } from "../../settings/activations.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import { CLIPVisionModel } from "../../families/clip/clip.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import type { ModelCard } from "../../model/card.ts";
import type { LlamaComponent } from "../../parts/decoder/card.ts";
import { llavaCard, llavaWriterCard } from "./card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { LlamaForCausalLM, LlamaModel } from "../../families/llama/llama.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
} from "../../parts/outputs.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { fillImages } from "../../parts/vision/fill-images.ts";
import type { ImageInputs } from "../../parts/vision/outputs.ts";
import {
  featureLayers,
  llavaBaseFamily,
  type LlavaConfig,
  llavaConfig,
  llavaFamily,
  type PartialLlavaConfig,
} from "./config.ts";

export { type LlavaConfig, type PartialLlavaConfig, llavaConfig } from "./config.ts";

/** Inputs of a LLaVA without a head: a text with image tokens, and the images they stand for. */
export interface LlavaModelInputs extends DecoderInputs, Partial<ImageInputs> {}

/** The same of a LLaVA that writes. */
export interface LlavaInputs extends CausalLMInputs, Partial<ImageInputs> {}

interface Seen {
  /** The patches as the language model reads them, [images, patches, width]; if there are images. */
  readonly imageHiddenStates?: Tensor;
}

/** Outputs of a LLaVA without a head. */
export interface LlavaModelOutput extends DecoderOutput, Seen {}

/** Outputs of a LLaVA that writes. */
export interface LlavaOutput extends CausalLMOutput, Seen {}

class LlavaMultiModalProjector extends Module {
  readonly linear_1: Linear;
  readonly act: Activation;
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
  readonly vision_tower: CLIPVisionModel;
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

/** What the language model reads in place of ids and images, and what stands for these in it. */
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
  readonly vision_tower: CLIPVisionModel;
  readonly multi_modal_projector: LlavaMultiModalProjector;
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
  readonly vision_tower: CLIPVisionModel;
  readonly multi_modal_projector: LlavaMultiModalProjector;
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
