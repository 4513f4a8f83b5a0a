import {
  BlipForImageTextRetrieval,
  BlipForQuestionAnswering,
  BlipModel,
} from "../families/blip/blip.ts";
import { blipBaseFamily, blipItmFamily, blipVqaFamily } from "../families/blip/config.ts";
import { CLIPForImageClassification, CLIPModel } from "../families/clip/clip.ts";
import { clipFamily } from "../families/clip/config.ts";
import { convNextFamily } from "../families/convnext/config.ts";
import { ConvNextForImageClassification, ConvNextModel } from "../families/convnext/convnext.ts";
import type { FamilyEntry } from "../model/family.ts";
import { llavaFamily } from "../families/llava/config.ts";
import { LlavaForConditionalGeneration, LlavaModel } from "../families/llava/llava.ts";
import { mllamaFamily } from "../families/mllama/config.ts";
import { MllamaForConditionalGeneration, MllamaModel } from "../families/mllama/mllama.ts";
import { resNetFamily } from "../families/resnet/config.ts";
import { ResNetForImageClassification, ResNetModel } from "../families/resnet/resnet.ts";
import { viTFamily } from "../families/vit/config.ts";
import { ViTForImageClassification, ViTModel } from "../families/vit/vit.ts";

/** The models of images. */
export const VISION_FAMILIES: readonly FamilyEntry[] = [
  {
    family: resNetFamily,
    models: { base: ResNetModel, imageClassification: ResNetForImageClassification },
  },
  {
    family: convNextFamily,
    models: { base: ConvNextModel, imageClassification: ConvNextForImageClassification },
  },
  {
    family: viTFamily,
    models: { base: ViTModel, imageClassification: ViTForImageClassification },
  },
  {
    family: clipFamily,
    models: { base: CLIPModel, imageClassification: CLIPForImageClassification },
  },
  {
    family: llavaFamily,
    models: { base: LlavaModel, causalLM: LlavaForConditionalGeneration },
  },
  { family: blipBaseFamily, models: { base: BlipModel } },
  { family: blipItmFamily, models: { base: BlipForImageTextRetrieval } },
  {
    family: blipVqaFamily,
    models: { base: BlipForQuestionAnswering, seq2SeqLM: BlipForQuestionAnswering },
  },
  {
    family: mllamaFamily,
    models: { base: MllamaModel, causalLM: MllamaForConditionalGeneration },
  },
];
