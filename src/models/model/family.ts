import type { EncoderInputs, MaskedLMOutput, WithLabels } from "../parts/encoder/outputs.ts";
import type { JsonValue, ModelConfig } from "../settings/config.ts";
import type { AudioClassifierInputs } from "../parts/audio/classifier.ts";
import type { AudioInputs } from "../parts/audio/inputs.ts";
import type { ImageClassifierOutput, ImageInputs } from "../parts/vision/outputs.ts";
import type { BaseOutput, DecoderInputs, SequenceClassifierOutput } from "../parts/outputs.ts";
import type { CausalLanguageModel } from "./causal-language-model.ts";
import type { PreTrainedModel } from "./pretrained-model.ts";
import type { Seq2SeqLanguageModel } from "../parts/seq2seq/seq2seq-language-model.ts";
import type { Settings, SettingsTable } from "../settings/define-settings.ts";
import type { Slice } from "../../formats/sliced-checkpoint.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What is particular to a family of models when its checkpoints are read. */
export interface ModelFamily<Config extends ModelConfig = ModelConfig> {
  /** Hugging Face's `model_type`. */
  readonly modelType: string;
  /** Names of the classes that it has, where another family's checkpoints are of the same type. */
  readonly architectures?: RegExp;
  /** The table of its settings. */
  readonly settings?: SettingsTable;
  /** The settings, from the fields of a `config.json` under camelCase names. */
  readonly readConfig: (fields: Readonly<Record<string, JsonValue>>) => Config;
  /**
   * Options of the class without a head, from the names in the checkpoint: some parts are only there
   * where they were trained.
   */
  readonly parts?: (names: readonly string[]) => { readonly pooler?: boolean };
  /** Property in which models with a head keep the model without one, such as "transformer". */
  readonly basePrefix: string;
  /** Names of other versions' checkpoints and what they are called here, in the order of use. */
  readonly renamed?: readonly (readonly [pattern: RegExp, replacement: string])[];
  /** What lies one after the other in a tensor of other versions' checkpoints, by its name. */
  readonly slices?: (name: string, shape: Shape) => readonly Slice[];
  /** Names in checkpoints of what is not a weight, such as masks that old versions saved. */
  readonly ignored?: readonly RegExp[];
}

/** A family with a table of its settings. */
export interface DeclaredFamily<Config extends ModelConfig> extends ModelFamily<Config> {
  readonly settings: Settings<Config>;
}

/** A family, from the table of its settings and what else there is to say of its checkpoints. */
export function declareFamily<Config extends ModelConfig>(
  settings: Settings<Config>,
  rest: Omit<ModelFamily<Config>, "modelType" | "settings" | "readConfig">,
): DeclaredFamily<Config> {
  return { ...rest, modelType: settings.modelType, settings, readConfig: settings.fromFields };
}

/** A class of models that can be loaded: `static readonly family` says how. */
export interface ModelClass<M extends PreTrainedModel = PreTrainedModel> {
  /** Name of the class. */
  readonly name: string;
  /** What is particular to its family when checkpoints are read. */
  readonly family: ModelFamily;
  new (config: never, parts?: never): M;
}

/** A model without a head. */
export type BaseModel = PreTrainedModel & {
  /** Hidden states [batch, sequence, hidden] of texts, images or sound. */
  forward(inputs: DecoderInputs<unknown> & Partial<ImageInputs & AudioInputs>): BaseOutput;
};

/** A model that puts whole sequences into classes. */
export type SequenceClassifier = PreTrainedModel & {
  /** Logits [batch, labels]; the loss too where labels are given. */
  forward(inputs: DecoderInputs<unknown> & { readonly labels?: Tensor }): SequenceClassifierOutput;
};

/** A model that puts images into classes. */
export type ImageClassifier = PreTrainedModel & {
  /** Logits [batch, labels]; the loss too where labels are given. */
  forward(inputs: ImageInputs & { readonly labels?: Tensor }): ImageClassifierOutput;
};

/** A model that puts sound into classes. */
export type SoundClassifier = PreTrainedModel & {
  /** Logits [batch, labels]; the loss too where labels are given. */
  forward(
    inputs: AudioClassifierInputs & { readonly attentionMask?: Tensor },
  ): SequenceClassifierOutput;
};

/** A model that fills in masked tokens. */
export type MaskedLanguageModel = PreTrainedModel & {
  /** Logits [batch, sequence, vocabulary]; the loss too where labels are given. */
  forward(inputs: EncoderInputs & WithLabels): MaskedLMOutput;
};

/** What each auto class loads: at least this. */
export interface AutoModels {
  /** Models without a head. */
  readonly AutoModel: PreTrainedModel;
  /** Models that write a text on. */
  readonly AutoModelForCausalLM: CausalLanguageModel;
  /** Models that fill in masked tokens. */
  readonly AutoModelForMaskedLM: MaskedLanguageModel;
  /** Classifiers of texts. */
  readonly AutoModelForSequenceClassification: SequenceClassifier;
  /** Models that write a text from a source that an encoder reads. */
  readonly AutoModelForSeq2SeqLM: Seq2SeqLanguageModel;
  /** Classifiers of images. */
  readonly AutoModelForImageClassification: ImageClassifier;
  /** Classifiers of sound. */
  readonly AutoModelForAudioClassification: SoundClassifier;
}

/** Name of an auto class. */
export type AutoName = keyof AutoModels;

/** A class that an auto class finds: one of the catalogue that says `static readonly auto`. */
export type FoundClass<Name extends AutoName = AutoName> = ModelClass<AutoModels[Name]> & {
  /** Name of the auto class that finds it. */
  readonly auto: Name;
};
