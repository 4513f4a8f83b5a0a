import { TensorError } from "../tensor/errors.ts";
import { DECODER_FAMILIES } from "./decoder/families.ts";
import type { FamilyModels, ModelFamily } from "./family.ts";
import { gpt2Family } from "./gpt2/config.ts";
import { GPT2ForSequenceClassification, GPT2LMHeadModel, GPT2Model } from "./gpt2/gpt2.ts";

/** A family and its classes. */
export interface FamilyEntry {
  readonly family: ModelFamily;
  readonly models: FamilyModels;
}

/** All families that the auto classes know: to add one is to add its entry. */
const FAMILIES: readonly FamilyEntry[] = [
  {
    family: gpt2Family,
    models: {
      base: GPT2Model,
      causalLM: GPT2LMHeadModel,
      sequenceClassification: GPT2ForSequenceClassification,
    },
  },
  ...DECODER_FAMILIES,
];

/** Hugging Face's names of the families that can be loaded. */
export function knownFamilies(): string[] {
  return FAMILIES.map(({ family }) => family.modelType).sort();
}

/**
 * The family of a `config.json`'s `model_type`.
 * @throws TensorError naming the known ones.
 */
export function familyOf(modelType: unknown, where: string): FamilyEntry {
  const entry = FAMILIES.find(({ family }) => family.modelType === modelType);
  if (entry !== undefined) return entry;
  const given =
    modelType === undefined ? "has no model_type" : `is of ${JSON.stringify(modelType)}`;
  throw new TensorError(
    `${where}: the model ${given}, which is not a known family; known are ` +
      knownFamilies().join(", "),
  );
}
