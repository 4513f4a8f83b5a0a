import { knownDevices } from "../../tensor/device.ts";
import { type FileSource, readTogether } from "../../files/file-source.ts";
import { type FilesName, openFiles } from "../../files/open-files.ts";
import { ModelError } from "../../nn/errors.ts";
import type { JsonValue, ModelConfig } from "../settings/config.ts";
import type * as catalogue from "./catalogue.ts";
import type { FoundFamily } from "./families.ts";
import type { CausalLanguageModel } from "../model/causal-language-model.ts";
import type {
  AutoName,
  BaseModel,
  ImageClassifier,
  MaskedLanguageModel,
  ModelClass,
  SequenceClassifier,
  SoundClassifier,
} from "../model/family.ts";
import type { Seq2SeqLanguageModel } from "../parts/seq2seq/seq2seq-language-model.ts";
import {
  checkPretrainedOptions,
  loadPretrained,
  type PretrainedOptions,
} from "../model/load-pretrained.ts";
import { readConfigFields } from "../model/pretrained-config.ts";
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

/** A model that an auto class found, with the components of all that it may find. */
export type Found<M extends PreTrainedModel, A extends AutoName> = M & {
  /** Names that the compiler takes for `component`; which ones a model has, its files say. */
  readonly "~components": FoundComponents<A>;
};

/** All classes, of which auto classes find some. */
type Catalogue = typeof catalogue;

/** Components of all classes that an auto class may find. */
type FoundComponents<A extends AutoName> = {
  [Name in keyof Catalogue]: Catalogue[Name] extends { readonly auto: A } & (abstract new (
    ...args: never[]
  ) => { readonly "~components": infer Names extends string })
    ? Names
    : never;
}[keyof Catalogue];

/** The family that a model's files are of; all families are imported when it is first asked. */
async function readFamily(
  files: FileSource,
  { ignoreSettings }: PretrainedOptions,
  caller: string,
): Promise<FoundFamily & { readonly fields: Readonly<Record<string, JsonValue>> }> {
  const fields = await readConfigFields(files, ignoreSettings);
  const { familyOf } = await import("./families.ts");
  return { ...familyOf(fields, `${caller}: ${files.location}`), fields };
}

/** The class that an auto class loads; of a family that has one class, `AutoModel` loads that. */
function classFor(name: AutoName, { models }: FoundFamily): ModelClass | undefined {
  const [only, ...others] = Object.values<ModelClass>(models);
  return models[name] ?? (name === "AutoModel" && others.length === 0 ? only : undefined);
}

function autoClass<M extends PreTrainedModel>(name: AutoName): AutoClass<M> {
  const caller = `${name}.fromPretrained`;
  const load = async (files: FileSource, options: PretrainedOptions): Promise<PreTrainedModel> => {
    const found = await readFamily(files, options, caller);
    const modelClass = classFor(name, found);
    if (modelClass !== undefined) return loadPretrained(modelClass, files, options);
    throw new ModelError(
      `${caller}: ${files.location}: ${found.family.modelType} has no model of this kind; ` +
        `it has ${Object.keys(found.models).join(", ")}`,
    );
  };
  return {
    fromPretrained: async (directory, options = {}) => {
      checkPretrainedOptions(caller, options);
      if (options.device !== undefined) await knownDevices().require(caller, options.device);
      const files = await openFiles(directory, options);
      return (await readTogether(files, () => load(files, options))) as M;
    },
  };
}

/** Models without a head. */
export const AutoModel: AutoClass<Found<BaseModel, AutoName>> = autoClass("AutoModel");

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
export const AutoModelForCausalLM: AutoClass<Found<CausalLanguageModel, "AutoModelForCausalLM">> =
  autoClass("AutoModelForCausalLM");

/** Models that fill in masked tokens. */
export const AutoModelForMaskedLM: AutoClass<Found<MaskedLanguageModel, "AutoModelForMaskedLM">> =
  autoClass("AutoModelForMaskedLM");

/** Classifiers of whole sequences. */
export const AutoModelForSequenceClassification: AutoClass<
  Found<SequenceClassifier, "AutoModelForSequenceClassification">
> = autoClass("AutoModelForSequenceClassification");

/** Language models that read a source with an encoder: texts, or sound. */
export const AutoModelForSeq2SeqLM: AutoClass<
  Found<Seq2SeqLanguageModel, "AutoModelForSeq2SeqLM">
> = autoClass("AutoModelForSeq2SeqLM");

/** Classifiers of images. */
export const AutoModelForImageClassification: AutoClass<
  Found<ImageClassifier, "AutoModelForImageClassification">
> = autoClass("AutoModelForImageClassification");

/** Classifiers of sound. */
export const AutoModelForAudioClassification: AutoClass<
  Found<SoundClassifier, "AutoModelForAudioClassification">
> = autoClass("AutoModelForAudioClassification");

/** Settings of a model, without its weights. */
export const AutoConfig: AutoClass<ModelConfig> = {
  fromPretrained: async (name, options = {}) => {
    const caller = "AutoConfig.fromPretrained";
    checkPretrainedOptions(caller, options);
    const files = await openFiles(name, options);
    const { family, fields } = await readFamily(files, options, caller);
    return family.readConfig(fields);
  },
};
