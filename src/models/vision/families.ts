import { BlipForImageTextRetrieval, BlipForQuestionAnswering } from "../blip/blip.ts";
import { blipItmCard, blipVqaCard } from "../blip/card.ts";
import { blipItmFamily, blipVqaFamily } from "../blip/config.ts";
import { clipCard } from "../clip/card.ts";
import { CLIPModel } from "../clip/clip.ts";
import { clipFamily } from "../clip/config.ts";
import { convNextCard } from "../convnext/card.ts";
import { convNextFamily } from "../convnext/config.ts";
import { ConvNextForImageClassification, ConvNextModel } from "../convnext/convnext.ts";
import type { FamilyEntry } from "../family.ts";
import { llavaCard } from "../llava/card.ts";
import { llavaFamily } from "../llava/config.ts";
import { LlavaForConditionalGeneration } from "../llava/llava.ts";
import { mllamaCard } from "../mllama/card.ts";
import { mllamaFamily } from "../mllama/config.ts";
import { MllamaForConditionalGeneration } from "../mllama/mllama.ts";
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
  { family: clipFamily, card: clipCard, models: { base: CLIPModel } },
  {
    family: llavaFamily,
    card: llavaCard,
    models: {
      base: LlavaForConditionalGeneration,
      causalLM: LlavaForConditionalGeneration,
    },
  },
  { family: blipItmFamily, card: blipItmCard, models: { base: BlipForImageTextRetrieval } },
  {
    family: blipVqaFamily,
    card: blipVqaCard,
    models: { base: BlipForQuestionAnswering, seq2SeqLM: BlipForQuestionAnswering },
  },
  {
    family: mllamaFamily,
    card: mllamaCard,
    models: {
      base: MllamaForConditionalGeneration,
      causalLM: MllamaForConditionalGeneration,
    },
  },
];
