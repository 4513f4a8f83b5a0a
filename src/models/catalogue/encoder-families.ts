import {
  BertForMaskedLM,
  BertForSequenceClassification,
  BertModel,
} from "../families/bert/bert.ts";
import { bertFamily } from "../families/bert/config.ts";
import { esmFamily } from "../families/esm/config.ts";
import { EsmForMaskedLM, EsmForSequenceClassification, EsmModel } from "../families/esm/esm.ts";
import type { FamilyEntry } from "../model/family.ts";

/** Encoders of tokens that are laid out as BERT is. */
export const ENCODER_FAMILIES: readonly FamilyEntry[] = [
  {
    family: bertFamily,
    models: {
      base: BertModel,
      maskedLM: BertForMaskedLM,
      sequenceClassification: BertForSequenceClassification,
    },
  },
  {
    family: esmFamily,
    models: {
      base: EsmModel,
      maskedLM: EsmForMaskedLM,
      sequenceClassification: EsmForSequenceClassification,
    },
  },
];
