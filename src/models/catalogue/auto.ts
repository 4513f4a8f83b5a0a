import { type FileSource, readTogether } from "../../files/file-source.ts";
import { type FilesName, openFiles } from "../../files/open-files.ts";
import { ModelError } from "../../nn/errors.ts";
import type { CausalLanguageModel } from "../model/causal-language-model.ts";
import type { ModelConfig } from "../settings/config.ts";
import { familyOf } from "./families.ts";
import type {
  BaseModel,
  ImageClassifier,
  FamilyModels,
  MaskedLanguageModel,
  ModelClass,
  SequenceClassifier,
  SoundClassifier,
} from "../model/family.ts";
import {
  checkPretrainedOptions,
  loadPretrained,
  type PretrainedOptions,
} from "../model/load-pretrained.ts";
import { readConfigFields } from "../model/pretrained-config.ts";
import type { Seq2SeqLanguageModel } from "../parts/seq2seq/seq2seq-language-model.ts";
import type { PreTrainedModel } from "../model/pretrained-model.ts";

/** Loads models of one kind, of the class that fits the `model_type` in their `config.json`. */
export interface AutoClass<M> {
  /**
   * @param name a directory, a model of the Hugging Face Hub, or another place that `openFiles`
   * knows.
   * @throws ModelError for an unknown family, or one that has no model of this kind;
   * CheckpointError listing every missing, unexpected and unfitting tensor.
   */
  readonly fromPretrained: (name: FilesName, options?: PretrainedOptions) => Promise<M>;
}

/** Name of the auto class of each kind of model. */
const AUTO_CLASSES: { readonly [K in keyof FamilyModels]-?: string } = {
  base: "AutoModel",
  causalLM: "AutoModelForCausalLM",
  maskedLM: "AutoModelForMaskedLM",
  sequenceClassification: "AutoModelForSequenceClassification",
  seq2SeqLM: "AutoModelForSeq2SeqLM",
  imageClassification: "AutoModelForImageClassification",
  audioClassification: "AutoModelForAudioClassification",
};

function autoClass<M extends PreTrainedModel>(kind: keyof FamilyModels): AutoClass<M> {
  const caller = `${AUTO_CLASSES[kind]}.fromPretrained`;
  const fromPretrained = async (name: FilesName, options: PretrainedOptions = {}): Promise<M> => {
    checkPretrainedOptions(caller, options);
    const files = await openFiles(name, options);
    return readTogether(files, () => load(files, options));
  };
  const load = async (files: FileSource, options: PretrainedOptions): Promise<M> => {
    const fields = await readConfigFields(files, options.ignoreSettings);
    const { family, models } = familyOf(fields, `${caller}: ${files.location}`);
    const modelClass = models[kind] as ModelClass<M> | undefined;
    if (modelClass !== undefined) return loadPretrained(modelClass, files, options);
    const kinds = (Object.keys(models) as (keyof FamilyModels)[]).map((k) => AUTO_CLASSES[k]);
    throw new ModelError(
      `${caller}: ${files.location}: ${family.modelType} has no model of this kind; ` +
        `it has ${kinds.join(", ")}`,
    );
  };
  return { fromPretrained };
}

/** Models without a head. */
export const AutoModel: AutoClass<BaseModel> = autoClass("base");

/**
 * Language models.
 *
 * @example
 * ```ts no-run
 * import { AutoModelForCausalLM, AutoTokenizer } from "tsvene";
 * const tokenizer = await AutoTokenizer.fromPretrained("openai-community/gpt2");
 * const model = await AutoModelForCausalLM.fromPretrained("openai-community/gpt2");
 * const { sequences } = await model.generate(tokenizer.tokenize("The capital of Spain is"));
 * ```
 */
export const AutoModelForCausalLM: AutoClass<CausalLanguageModel> = autoClass("causalLM");

/** Models that fill in masked tokens. */
export const AutoModelForMaskedLM: AutoClass<MaskedLanguageModel> = autoClass("maskedLM");

/** Classifiers of whole sequences. */
export const AutoModelForSequenceClassification: AutoClass<SequenceClassifier> =
  autoClass("sequenceClassification");

/** Language models that read a source with an encoder: texts, or sound. */
export const AutoModelForSeq2SeqLM: AutoClass<Seq2SeqLanguageModel> = autoClass("seq2SeqLM");

/** Classifiers of images. */
export const AutoModelForImageClassification: AutoClass<ImageClassifier> =
  autoClass("imageClassification");

/** Classifiers of sound. */
export const AutoModelForAudioClassification: AutoClass<SoundClassifier> =
  autoClass("audioClassification");

/** Settings of a model, without its weights. */
export const AutoConfig: AutoClass<ModelConfig> = {
  fromPretrained: async (name, options = {}) => {
    const caller = "AutoConfig.fromPretrained";
    checkPretrainedOptions(caller, options);
    const files = await openFiles(name, options);
    const fields = await readConfigFields(files, options.ignoreSettings);
    const where = `${caller}: ${files.location}`;
    return familyOf(fields, where).family.readConfig(fields);
  },
};
