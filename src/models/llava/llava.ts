import type { Activation } from "../../nn/layers/activation.ts";
import type { Linear } from "../../nn/layers/linear.ts";
import { Module } from "../../nn/module.ts";
import { fail, internal } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { activation } from "../activations.ts";
import { CausalLanguageModel } from "../causal-language-model.ts";
import { CLIPVisionModel } from "../clip/clip.ts";
import { initialLinear } from "../decoder/initial-linear.ts";
import type { ModelFamily } from "../family.ts";
import { LlamaForCausalLM } from "../llama/llama.ts";
import type { CausalLMInputs, CausalLMOutput } from "../outputs.ts";
import { fillImages } from "../vision/fill-images.ts";
import type { ImageInputs } from "../vision/outputs.ts";
import { type LlavaConfig, llavaConfig, llavaFamily, type PartialLlavaConfig } from "./config.ts";

/** Inputs of a LLaVA: a text with image tokens, and the images that these stand for. */
export interface LlavaInputs extends CausalLMInputs, Partial<ImageInputs> {}

/** Outputs of a LLaVA. */
export interface LlavaOutput extends CausalLMOutput {
  /** The patches as the language model reads them, [images, patches, width]; if there are images. */
  readonly imageHiddenStates?: Tensor;
}

export class LlavaMultiModalProjector extends Module {
  readonly linear_1: Linear;
  readonly act: Activation;
  readonly linear_2: Linear;

  constructor({ textConfig, visionConfig, ...config }: LlavaConfig) {
    super();
    const options = { bias: config.multimodalProjectorBias, std: textConfig.initializerRange };
    const width = textConfig.hiddenSize;
    this.linear_1 = initialLinear(visionConfig.hiddenSize, width, options);
    this.act = activation(config.projectorHiddenAct);
    this.linear_2 = initialLinear(width, width, options);
  }

  override forward(x: Tensor): Tensor {
    return this.linear_2.forward(this.act.forward(this.linear_1.forward(x)));
  }
}

/**
 * LLaVA: a Llama that reads images as CLIP's image encoder sees them. Names of modules and
 * parameters are those of Hugging Face's checkpoints.
 */
export class LlavaForConditionalGeneration extends CausalLanguageModel {
  static readonly family: ModelFamily<LlavaConfig> = llavaFamily;
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

  override get imageInputs(): { readonly pixelValues: "prompt" } {
    return { pixelValues: "prompt" };
  }

  /** Patches as the language model reads them, [images, patches, width]. */
  imageFeatures(images: ImageInputs): Tensor {
    const { visionFeatureLayer, visionFeatureSelectStrategy } = this.config;
    const { hiddenStates } = this.vision_tower.forward(images);
    const seen = hiddenStates.at(visionFeatureLayer) ?? internal("the layer was not checked");
    const patches = visionFeatureSelectStrategy === "default" ? seen.slice(1, 1) : seen;
    return this.multi_modal_projector.forward(patches);
  }

  override forward({ pixelValues, ...inputs }: LlavaInputs): LlavaOutput {
    if (pixelValues === undefined) return this.language_model.forward(inputs);
    const { inputIds, ...rest } = inputs;
    if (inputIds === undefined) {
      fail("LlavaForConditionalGeneration", "images need inputIds, to say where they belong");
    }
    const imageHiddenStates = this.imageFeatures({ pixelValues });
    const inputsEmbeds = fillImages(
      "LlavaForConditionalGeneration",
      { inputIds, imageTokenId: this.config.imageTokenIndex },
      this.language_model.model.embed_tokens.forward(inputIds),
      imageHiddenStates,
    );
    return { ...this.language_model.forward({ ...rest, inputsEmbeds }), imageHiddenStates };
  }
}
