import {
  BlipForImageTextRetrieval,
  BlipForQuestionAnswering,
  BlipModel,
} from "../families/blip/blip.ts";
import { blipCard, blipItmCard, blipVqaCard } from "../families/blip/card.ts";
import { blipBaseFamily, blipItmFamily, blipVqaFamily } from "../families/blip/config.ts";
import { clipCard, clipVisionCard } from "../families/clip/card.ts";
import { CLIPForImageClassification, CLIPModel } from "../families/clip/clip.ts";
import { clipFamily } from "../families/clip/config.ts";
import { convNextCard } from "../families/convnext/card.ts";
import { convNextFamily } from "../families/convnext/config.ts";
import { ConvNextForImageClassification, ConvNextModel } from "../families/convnext/convnext.ts";
import type { FamilyEntry } from "../model/family.ts";
import { llavaCard, llavaWriterCard } from "../families/llava/card.ts";
import { llavaFamily } from "../families/llava/config.ts";
import { LlavaForConditionalGeneration, LlavaModel } from "../families/llava/llava.ts";
import { mllamaCard, mllamaWriterCard } from "../families/mllama/card.ts";
import { mllamaFamily } from "../families/mllama/config.ts";
import { MllamaForConditionalGeneration, MllamaModel } from "../families/mllama/mllama.ts";
import { resNetCard } from "../families/resnet/card.ts";
import { resNetFamily } from "../families/resnet/config.ts";
import { ResNetForImageClassification, ResNetModel } from "../families/resnet/resnet.ts";
import { viTCard } from "../families/vit/card.ts";
import { viTFamily } from "../families/vit/config.ts";
import { ViTForImageClassification, ViTModel } from "../families/vit/vit.ts";

/** The models of images. */
export const VISION_FAMILIES: readonly FamilyEntry[] = [
  {
    family: resNetFamily,
    card: resNetCard,
    models: { base: ResNetModel, imageClassification: ResNetForImageClassification },
  },
  {
    family: convNextFamily,
    card: convNextCard,
    models: { base: ConvNextModel, imageClassification: ConvNextForImageClassification },
  },
  {
    family: viTFamily,
    card: viTCard,
    models: { base: ViTModel, imageClassification: ViTForImageClassification },
  },
  {
    family: clipFamily,
    card: clipCard,
    cards: { imageClassification: clipVisionCard },
    models: { base: CLIPModel, imageClassification: CLIPForImageClassification },
  },
  {
    family: llavaFamily,
    card: llavaCard,
    cards: { causalLM: llavaWriterCard },
    models: { base: LlavaModel, causalLM: LlavaForConditionalGeneration },
  },
  { family: blipBaseFamily, card: blipCard, models: { base: BlipModel } },
  { family: blipItmFamily, card: blipItmCard, models: { base: BlipForImageTextRetrieval } },
  {
    family: blipVqaFamily,
    card: blipVqaCard,
    models: { base: BlipForQuestionAnswering, seq2SeqLM: BlipForQuestionAnswering },
  },
  {
    family: mllamaFamily,
    card: mllamaCard,
    cards: { causalLM: mllamaWriterCard },
    models: { base: MllamaModel, causalLM: MllamaForConditionalGeneration },
  },
];
