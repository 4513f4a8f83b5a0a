export { type ConvNextConfig, convNextConfig } from "../convnext/config.ts";
export { ConvNextForImageClassification, ConvNextModel } from "../convnext/convnext.ts";
export { type ResNetConfig, resNetConfig } from "../resnet/config.ts";
export { ResNetForImageClassification, ResNetModel } from "../resnet/resnet.ts";
export type {
  ImageClassifierInputs,
  ImageClassifierOutput,
  ImageInputs,
  ImageOutput,
} from "./outputs.ts";
