export {
  AutoConfig,
  type AutoClass,
  AutoModel,
  AutoModelForAudioClassification,
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoModelForImageClassification,
  AutoModelForSeq2SeqLM,
  AutoModelForSequenceClassification,
} from "./catalogue/auto.ts";
export {
  type BackpackCache,
  BackpackGPT2LMHeadModel,
  BackpackGPT2Model,
} from "./families/backpack-gpt2/backpack-gpt2.ts";
export { type BackpackGPT2Config, backpackGpt2Config } from "./families/backpack-gpt2/config.ts";
export { type ComponentSpec, type Counted, type ModelCard, withPrefix } from "./model/card.ts";
export { CausalLanguageModel } from "./model/causal-language-model.ts";
export type { JsonValue, ModelConfig } from "./settings/config.ts";
export * from "./catalogue/encoder-exports.ts";
export { knownFamilies } from "./catalogue/families.ts";
export type {
  BaseModel,
  ImageClassifier,
  ModelClass,
  ModelFamily,
  SequenceClassifier,
  SoundClassifier,
} from "./model/family.ts";
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
export { type GPT2Config, gpt2Config } from "./families/gpt2/config.ts";
export { GPT2ForSequenceClassification, GPT2LMHeadModel, GPT2Model } from "./families/gpt2/gpt2.ts";
export { type GRUConfig, gruConfig } from "./families/gru/config.ts";
export {
  GRUForClassification,
  GRULMHeadModel,
  GRUModel,
  type GRUOutput,
  type GRUState,
} from "./families/gru/gru.ts";
export type { ProblemType } from "./parts/heads.ts";
export { type MambaConfig, mambaConfig } from "./families/mamba/config.ts";
export { MambaForCausalLM, MambaModel } from "./families/mamba/mamba.ts";
export { type Mamba2Config, mamba2Config } from "./families/mamba2/config.ts";
export { Mamba2ForCausalLM, Mamba2Model } from "./families/mamba2/mamba2.ts";
export { type MLPConfig, mlpConfig } from "./families/mlp/config.ts";
export { MLPForClassification, type MLPInputs, MLPModel } from "./families/mlp/mlp.ts";
export * from "./catalogue/decoder-exports.ts";
export * from "./catalogue/vision-exports.ts";
export * from "./catalogue/audio-exports.ts";
export * from "./catalogue/seq2seq-exports.ts";
export type { PretrainedOptions } from "./model/load-pretrained.ts";
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
export { PreTrainedModel } from "./model/pretrained-model.ts";
export { type RwkvConfig, rwkvConfig } from "./families/rwkv/config.ts";
export {
  type RwkvCache,
  RwkvForCausalLM,
  RwkvModel,
  type RwkvState,
} from "./families/rwkv/rwkv.ts";
export type { MambaCache, MambaState } from "./parts/state-space/mamba-blocks.ts";
export type { SaveOptions } from "./model/save-pretrained.ts";
export { type T5Config, t5Config } from "./families/t5/config.ts";
export {
  type T5ClassifierInputs,
  type T5ClassifierOutput,
  T5ForSequenceClassification,
} from "./families/t5/classifier.ts";
export { T5ForConditionalGeneration, T5Model } from "./families/t5/t5.ts";
export * from "./catalogue/create-models.ts";
