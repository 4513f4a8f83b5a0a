import { BertForMaskedLM, BertForSequenceClassification, BertModel } from "../bert/bert.ts";
import { bertFamily } from "../bert/config.ts";
import { esmFamily } from "../esm/config.ts";
import { EsmForMaskedLM, EsmForSequenceClassification, EsmModel } from "../esm/esm.ts";
import type { FamilyEntry } from "../family.ts";
import { encoderCard } from "./card.ts";

/** Encoders of tokens that are laid out as BERT is. */
export const ENCODER_FAMILIES: readonly FamilyEntry[] = [
  {
    family: bertFamily,
    card: encoderCard,
    models: {
      base: BertModel,
      maskedLM: BertForMaskedLM,
      sequenceClassification: BertForSequenceClassification,
    },
  },
  {
    family: esmFamily,
    card: encoderCard,
    models: {
      base: EsmModel,
      maskedLM: EsmForMaskedLM,
      sequenceClassification: EsmForSequenceClassification,
    },
  },
];
