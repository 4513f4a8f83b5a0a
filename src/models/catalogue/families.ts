import { ModelError } from "../../nn/errors.ts";
import type { JsonValue } from "../settings/config.ts";
import { DECODER_FAMILIES } from "./decoder-families.ts";
import { ENCODER_FAMILIES } from "./encoder-families.ts";
import type { FamilyEntry } from "../model/family.ts";
import { gpt2Family } from "../families/gpt2/config.ts";
import {
  GPT2ForSequenceClassification,
  GPT2LMHeadModel,
  GPT2Model,
} from "../families/gpt2/gpt2.ts";
import { AUDIO_FAMILIES } from "./audio-families.ts";
import { t5Family } from "../families/t5/config.ts";
import { T5ForSequenceClassification } from "../families/t5/classifier.ts";
import { T5ForConditionalGeneration, T5Model } from "../families/t5/t5.ts";
import { VISION_FAMILIES } from "./vision-families.ts";
import { PYVENE_FAMILIES } from "./pyvene-families.ts";
import { STATE_SPACE_FAMILIES } from "./state-space-families.ts";

/** All families that the auto classes and the cards know: to add one is to add its entry. */
export const FAMILIES: readonly FamilyEntry[] = [
  {
    family: gpt2Family,
    models: {
      base: GPT2Model,
      causalLM: GPT2LMHeadModel,
      sequenceClassification: GPT2ForSequenceClassification,
    },
  },
  ...DECODER_FAMILIES,
  ...PYVENE_FAMILIES,
  ...VISION_FAMILIES,
  ...AUDIO_FAMILIES,
  ...STATE_SPACE_FAMILIES,
  ...ENCODER_FAMILIES,
  {
    family: t5Family,
    models: {
      base: T5Model,
      seq2SeqLM: T5ForConditionalGeneration,
      sequenceClassification: T5ForSequenceClassification,
    },
  },
];

/** Hugging Face's names of the families that can be loaded. */
export function knownFamilies(): string[] {
  return [...new Set(FAMILIES.map(({ family }) => family.modelType))].sort();
}

/**
 * The family of a `config.json`: that of its `model_type`; among several of one type, that of its
 * class.
 * @throws ModelError naming the known ones.
 */
export function familyOf(
  { modelType, architectures }: Readonly<Record<string, JsonValue>>,
  where: string,
): FamilyEntry {
  const name = Array.isArray(architectures) ? String(architectures[0]) : "";
  const ofType = FAMILIES.filter(({ family }) => family.modelType === modelType);
  const entry =
    ofType.find(({ family }) => family.architectures?.test(name)) ??
    ofType.find(({ family }) => family.architectures === undefined);
  if (entry !== undefined) return entry;
  const given =
    modelType === undefined
      ? "config.json has no model_type, so that its family is not known"
      : `the model is of ${JSON.stringify(modelType)}, which is not a known family`;
  throw new ModelError(`${where}: ${given}; known are ${knownFamilies().join(", ")}`);
}
