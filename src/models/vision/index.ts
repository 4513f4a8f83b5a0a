export {
  type BlipEncoded,
  BlipForImageTextRetrieval,
  BlipForQuestionAnswering,
  type BlipInputs,
  BlipModel,
  type BlipOutput,
  type BlipQuestion,
  type BlipQuestionInputs,
  type BlipQuestionOutput,
  type BlipRetrievalInputs,
  type BlipRetrievalOutput,
} from "../blip/blip.ts";
export {
  type BlipConfig,
  blipConfig,
  type BlipTextConfig,
  type BlipVisionConfig,
  type PartialBlipConfig,
} from "../blip/config.ts";
export {
  CLIPForImageClassification,
  type CLIPInputs,
  CLIPModel,
  type CLIPOutput,
  type CLIPTextInputs,
  CLIPTextModel,
  type CLIPTowerOutput,
  CLIPVisionModel,
} from "../clip/clip.ts";
export {
  type CLIPConfig,
  clipConfig,
  type CLIPTextConfig,
  type CLIPVisionConfig,
  type PartialCLIPConfig,
} from "../clip/config.ts";
export { type ConvNextConfig, convNextConfig } from "../convnext/config.ts";
export { ConvNextForImageClassification, ConvNextModel } from "../convnext/convnext.ts";
export { type LlavaConfig, llavaConfig, type PartialLlavaConfig } from "../llava/config.ts";
export {
  LlavaForConditionalGeneration,
  type LlavaInputs,
  LlavaModel,
  type LlavaModelInputs,
  type LlavaModelOutput,
  type LlavaOutput,
} from "../llava/llava.ts";
export { type MllamaConfig, mllamaConfig, type PartialMllamaConfig } from "../mllama/config.ts";
export {
  type MllamaCache,
  MllamaForConditionalGeneration,
  type MllamaInputs,
  MllamaModel,
  type MllamaModelInputs,
} from "../mllama/mllama.ts";
export type { MllamaImages } from "../mllama/vision.ts";
export { type ResNetConfig, resNetConfig } from "../resnet/config.ts";
export { ResNetForImageClassification, ResNetModel } from "../resnet/resnet.ts";
export { type ViTConfig, viTConfig } from "../vit/config.ts";
export { ViTForImageClassification, ViTModel, type ViTParts } from "../vit/vit.ts";
export type {
  ImageClassifierInputs,
  ImageClassifierOutput,
  ImageInputs,
  ImageOutput,
} from "./outputs.ts";
