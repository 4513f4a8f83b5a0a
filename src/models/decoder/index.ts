export type { AttentionComponent, LlamaComponent, MLPComponent } from "./card.ts";
export { llamaCard } from "./card.ts";
export type { DecoderConfig, Given, RotaryConfig } from "./config.ts";
export type { LayerType } from "./layer-types.ts";
export type { RopeParameters, RopeType } from "./rope-parameters.ts";
export { type LlamaConfig, llamaConfig } from "../llama/config.ts";
export { LlamaForCausalLM, LlamaForSequenceClassification, LlamaModel } from "../llama/llama.ts";
export { type GemmaConfig, gemmaConfig } from "../gemma/config.ts";
export { GemmaForCausalLM, GemmaForSequenceClassification, GemmaModel } from "../gemma/gemma.ts";
export { type Gemma2Config, gemma2Config } from "../gemma2/config.ts";
export {
  Gemma2ForCausalLM,
  Gemma2ForSequenceClassification,
  Gemma2Model,
} from "../gemma2/gemma2.ts";
export { type MistralConfig, mistralConfig } from "../mistral/config.ts";
export {
  MistralForCausalLM,
  MistralForSequenceClassification,
  MistralModel,
} from "../mistral/mistral.ts";
export { type OlmoConfig, olmoConfig } from "../olmo/config.ts";
export { OlmoForCausalLM, OlmoForSequenceClassification, OlmoModel } from "../olmo/olmo.ts";
export { type Olmo2Config, olmo2Config } from "../olmo2/config.ts";
export { Olmo2ForCausalLM, Olmo2ForSequenceClassification, Olmo2Model } from "../olmo2/olmo2.ts";
export { type Qwen2Config, qwen2Config } from "../qwen2/config.ts";
export { Qwen2ForCausalLM, Qwen2ForSequenceClassification, Qwen2Model } from "../qwen2/qwen2.ts";
export { type Qwen3Config, qwen3Config } from "../qwen3/config.ts";
export { Qwen3ForCausalLM, Qwen3ForSequenceClassification, Qwen3Model } from "../qwen3/qwen3.ts";
export { type Gemma3TextConfig, gemma3TextConfig } from "../gemma3-text/config.ts";
export {
  Gemma3ForCausalLM,
  Gemma3TextForSequenceClassification,
  Gemma3TextModel,
} from "../gemma3-text/gemma3-text.ts";
export { type MixtralConfig, mixtralConfig } from "../mixtral/config.ts";
export {
  MixtralForCausalLM,
  MixtralForSequenceClassification,
  MixtralModel,
} from "../mixtral/mixtral.ts";
export { mixtralCard } from "../mixtral/card.ts";
export { type Phi3Config, phi3Config } from "../phi3/config.ts";
export { Phi3ForCausalLM, Phi3ForSequenceClassification, Phi3Model } from "../phi3/phi3.ts";
export { phi3Card } from "../phi3/card.ts";
export { type GptOssConfig, gptOssConfig } from "../gpt-oss/config.ts";
export {
  GptOssForCausalLM,
  GptOssForSequenceClassification,
  GptOssModel,
} from "../gpt-oss/gpt-oss.ts";
export { gptOssCard } from "../gpt-oss/card.ts";
export { type GPTNeoConfig, gptNeoConfig } from "../gpt-neo/config.ts";
export {
  GPTNeoForCausalLM,
  GPTNeoForSequenceClassification,
  GPTNeoModel,
} from "../gpt-neo/gpt-neo.ts";
export { gptNeoCard } from "../gpt-neo/card.ts";
export { type GPTNeoXConfig, gptNeoXConfig } from "../gpt-neox/config.ts";
export {
  GPTNeoXForCausalLM,
  GPTNeoXForSequenceClassification,
  GPTNeoXModel,
} from "../gpt-neox/gpt-neox.ts";
export { gptNeoXCard } from "../gpt-neox/card.ts";
