import { BlipForImageTextRetrieval, BlipForQuestionAnswering, BlipModel } from "../blip/blip.ts";
import { blipCard, blipItmCard, blipVqaCard } from "../blip/card.ts";
import { blipBaseFamily, blipItmFamily, blipVqaFamily } from "../blip/config.ts";
import { clipCard, clipVisionCard } from "../clip/card.ts";
import { CLIPForImageClassification, CLIPModel } from "../clip/clip.ts";
import { clipFamily } from "../clip/config.ts";
import { convNextCard } from "../convnext/card.ts";
import { convNextFamily } from "../convnext/config.ts";
import { ConvNextForImageClassification, ConvNextModel } from "../convnext/convnext.ts";
import type { FamilyEntry } from "../family.ts";
import { llavaCard, llavaWriterCard } from "../llava/card.ts";
import { llavaFamily } from "../llava/config.ts";
import { LlavaForConditionalGeneration, LlavaModel } from "../llava/llava.ts";
import { mllamaCard, mllamaWriterCard } from "../mllama/card.ts";
import { mllamaFamily } from "../mllama/config.ts";
import { MllamaForConditionalGeneration, MllamaModel } from "../mllama/mllama.ts";
import { resNetCard } from "../resnet/card.ts";
import { resNetFamily } from "../resnet/config.ts";
import { ResNetForImageClassification, ResNetModel } from "../resnet/resnet.ts";
import { viTCard } from "../vit/card.ts";
import { viTFamily } from "../vit/config.ts";
import { ViTForImageClassification, ViTModel } from "../vit/vit.ts";

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
