// The models of Hugging Face that this library has, and how they are loaded, saved and asked to write.
export {
  AutoConfig,
  type AutoClass,
  type Found,
  AutoModel,
  AutoModelForAudioClassification,
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoModelForImageClassification,
  AutoModelForSeq2SeqLM,
  AutoModelForSequenceClassification,
} from "./catalogue/auto.ts";
export * from "./catalogue/catalogue.ts";
export * from "./catalogue/create-models.ts";
export {
  type CheckpointDescription,
  describeCheckpoint,
  type DescribedTensor,
} from "./catalogue/describe-checkpoint.ts";
export { knownFamilies } from "./catalogue/families.ts";
export {
  type Check,
  type Verification,
  verifyCheckpoint,
  type VerifyOptions,
} from "./catalogue/verify-checkpoint.ts";
export type { GenerationFields } from "./generation/fields.ts";
export type {
  Decoder,
  GenerateInputs,
  GenerateOptions,
  GenerateOutput,
  GenerateStep,
  LogitsProcessor,
  StoppingCriterion,
  TextSoFar,
  TracedOutput,
  TraceStep,
} from "./generation/options.ts";
export { streamText, type TextDecoder, type WrittenText } from "./generation/stream-text.ts";
export { type ComponentSpec, type Counted, type ModelCard, withPrefix } from "./model/card.ts";
export { CausalLanguageModel } from "./model/causal-language-model.ts";
export type {
  BaseModel,
  ImageClassifier,
  ModelClass,
  ModelFamily,
  SequenceClassifier,
  SoundClassifier,
} from "./model/family.ts";
export type { PretrainedOptions } from "./model/load-pretrained.ts";
export { PreTrainedModel } from "./model/pretrained-model.ts";
export type { SaveOptions } from "./model/save-pretrained.ts";
export type { AudioClassifierInputs } from "./parts/audio/classifier.ts";
export type { AudioInputs } from "./parts/audio/inputs.ts";
export {
  type AttentionComponent,
  llamaCard,
  type LlamaComponent,
  type MLPComponent,
} from "./parts/decoder/card.ts";
export type { DecoderConfig, GatedConfig, Given, RotaryConfig } from "./parts/decoder/config.ts";
export type { LayerType } from "./parts/decoder/layer-types.ts";
export type { RopeParameters, RopeType } from "./parts/decoder/rope-parameters.ts";
export type { EncoderInputs, EncoderOutput, MaskedLMOutput } from "./parts/encoder/outputs.ts";
export type { ProblemType } from "./parts/heads.ts";
export type {
  BaseOutput,
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
  KeyValue,
  KeyValueCache,
  SequenceClassifierOutput,
} from "./parts/outputs.ts";
export type {
  CrossCache,
  CrossKeyValue,
  Seq2SeqInputs,
  Seq2SeqLMInputs,
  Seq2SeqLMOutput,
  Seq2SeqOutput,
  Seq2SeqSource,
  Seq2SeqStates,
} from "./parts/seq2seq/outputs.ts";
export {
  type Seq2SeqConfig,
  type Seq2SeqGenerateInputs,
  Seq2SeqLanguageModel,
} from "./parts/seq2seq/seq2seq-language-model.ts";
export type { MambaCache, MambaState } from "./parts/state-space/mamba-blocks.ts";
export type {
  ImageClassifierInputs,
  ImageClassifierOutput,
  ImageInputs,
  ImageOutput,
} from "./parts/vision/outputs.ts";
export type { JsonValue, ModelConfig } from "./settings/config.ts";
