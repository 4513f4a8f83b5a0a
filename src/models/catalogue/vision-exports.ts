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
} from "../families/blip/blip.ts";
export {
  type BlipConfig,
  blipConfig,
  type BlipTextConfig,
  type BlipVisionConfig,
  type PartialBlipConfig,
} from "../families/blip/config.ts";
export {
  CLIPForImageClassification,
  type CLIPInputs,
  CLIPModel,
  type CLIPOutput,
  type CLIPTextInputs,
  CLIPTextModel,
  type CLIPTowerOutput,
  CLIPVisionModel,
} from "../families/clip/clip.ts";
export {
  type CLIPConfig,
  clipConfig,
  type CLIPTextConfig,
  type CLIPVisionConfig,
  type PartialCLIPConfig,
} from "../families/clip/config.ts";
export { type ConvNextConfig, convNextConfig } from "../families/convnext/config.ts";
export { ConvNextForImageClassification, ConvNextModel } from "../families/convnext/convnext.ts";
export {
  type LlavaConfig,
  llavaConfig,
  type PartialLlavaConfig,
} from "../families/llava/config.ts";
export {
  LlavaForConditionalGeneration,
  type LlavaInputs,
  LlavaModel,
  type LlavaModelInputs,
  type LlavaModelOutput,
  type LlavaOutput,
} from "../families/llava/llava.ts";
export {
  type MllamaConfig,
  mllamaConfig,
  type PartialMllamaConfig,
} from "../families/mllama/config.ts";
export {
  type MllamaCache,
  MllamaForConditionalGeneration,
  type MllamaInputs,
  MllamaModel,
  type MllamaModelInputs,
} from "../families/mllama/mllama.ts";
export type { MllamaImages } from "../families/mllama/vision.ts";
export { type ResNetConfig, resNetConfig } from "../families/resnet/config.ts";
export { ResNetForImageClassification, ResNetModel } from "../families/resnet/resnet.ts";
export { type ViTConfig, viTConfig } from "../families/vit/config.ts";
export { ViTForImageClassification, ViTModel, type ViTParts } from "../families/vit/vit.ts";
export type {
  ImageClassifierInputs,
  ImageClassifierOutput,
  ImageInputs,
  ImageOutput,
} from "../parts/vision/outputs.ts";
