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
} from "./auto.ts";
export {
  type BackpackCache,
  BackpackGPT2LMHeadModel,
  BackpackGPT2Model,
} from "./backpack-gpt2/backpack-gpt2.ts";
export { type BackpackGPT2Config, backpackGpt2Config } from "./backpack-gpt2/config.ts";
export { type ComponentSpec, type Counted, type ModelCard, withPrefix } from "./card.ts";
export { CausalLanguageModel } from "./causal-language-model.ts";
export type { JsonValue, ModelConfig } from "./config.ts";
export * from "./encoder/index.ts";
export { knownFamilies } from "./families.ts";
export type {
  BaseModel,
  ImageClassifier,
  ModelClass,
  ModelFamily,
  SequenceClassifier,
  SoundClassifier,
} from "./family.ts";
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
export { type GPT2Config, gpt2Config } from "./gpt2/config.ts";
export { GPT2ForSequenceClassification, GPT2LMHeadModel, GPT2Model } from "./gpt2/gpt2.ts";
export { type GRUConfig, gruConfig } from "./gru/config.ts";
export {
  GRUForClassification,
  GRULMHeadModel,
  GRUModel,
  type GRUOutput,
  type GRUState,
} from "./gru/gru.ts";
export type { ProblemType } from "./heads.ts";
export { type MambaConfig, mambaConfig } from "./mamba/config.ts";
export { MambaForCausalLM, MambaModel } from "./mamba/mamba.ts";
export { type Mamba2Config, mamba2Config } from "./mamba2/config.ts";
export { Mamba2ForCausalLM, Mamba2Model } from "./mamba2/mamba2.ts";
export { type MLPConfig, mlpConfig } from "./mlp/config.ts";
export { MLPForClassification, type MLPInputs, MLPModel } from "./mlp/mlp.ts";
export * from "./decoder/index.ts";
export * from "./vision/index.ts";
export * from "./audio/index.ts";
export * from "./seq2seq/index.ts";
export type { PretrainedOptions } from "./load-pretrained.ts";
export type {
  BaseOutput,
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
  KeyValue,
  KeyValueCache,
  SequenceClassifierOutput,
} from "./outputs.ts";
export { PreTrainedModel } from "./pretrained-model.ts";
export { type RwkvConfig, rwkvConfig } from "./rwkv/config.ts";
export { type RwkvCache, RwkvForCausalLM, RwkvModel, type RwkvState } from "./rwkv/rwkv.ts";
export type { MambaCache, MambaState } from "./state-space/mamba-blocks.ts";
export type { SaveOptions } from "./save-pretrained.ts";
export { type T5Config, t5Config } from "./t5/config.ts";
export {
  type T5ClassifierInputs,
  type T5ClassifierOutput,
  T5ForSequenceClassification,
} from "./t5/classifier.ts";
export { T5ForConditionalGeneration, T5Model } from "./t5/t5.ts";
export * from "./create-models.ts";
