import { convNextCard } from "../convnext/card.ts";
import { convNextFamily } from "../convnext/config.ts";
import { ConvNextForImageClassification, ConvNextModel } from "../convnext/convnext.ts";
import type { FamilyEntry } from "../family.ts";
import { resNetCard } from "../resnet/card.ts";
import { resNetFamily } from "../resnet/config.ts";
import { ResNetForImageClassification, ResNetModel } from "../resnet/resnet.ts";

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
];
