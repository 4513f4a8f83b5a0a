export type { AttentionComponent, LlamaComponent, MLPComponent } from "../parts/decoder/card.ts";
export { llamaCard } from "../parts/decoder/card.ts";
export type { DecoderConfig, Given, RotaryConfig } from "../parts/decoder/config.ts";
export type { LayerType } from "../parts/decoder/layer-types.ts";
export type { RopeParameters, RopeType } from "../parts/decoder/rope-parameters.ts";
export { type LlamaConfig, llamaConfig } from "../families/llama/config.ts";
export {
  LlamaForCausalLM,
  LlamaForSequenceClassification,
  LlamaModel,
} from "../families/llama/llama.ts";
export { type GemmaConfig, gemmaConfig } from "../families/gemma/config.ts";
export {
  GemmaForCausalLM,
  GemmaForSequenceClassification,
  GemmaModel,
} from "../families/gemma/gemma.ts";
export { type Gemma2Config, gemma2Config } from "../families/gemma2/config.ts";
export {
  Gemma2ForCausalLM,
  Gemma2ForSequenceClassification,
  Gemma2Model,
} from "../families/gemma2/gemma2.ts";
export { type MistralConfig, mistralConfig } from "../families/mistral/config.ts";
export {
  MistralForCausalLM,
  MistralForSequenceClassification,
  MistralModel,
} from "../families/mistral/mistral.ts";
export { type OlmoConfig, olmoConfig } from "../families/olmo/config.ts";
export {
  OlmoForCausalLM,
  OlmoForSequenceClassification,
  OlmoModel,
} from "../families/olmo/olmo.ts";
export { type Olmo2Config, olmo2Config } from "../families/olmo2/config.ts";
export {
  Olmo2ForCausalLM,
  Olmo2ForSequenceClassification,
  Olmo2Model,
} from "../families/olmo2/olmo2.ts";
export { type Qwen2Config, qwen2Config } from "../families/qwen2/config.ts";
export {
  Qwen2ForCausalLM,
  Qwen2ForSequenceClassification,
  Qwen2Model,
} from "../families/qwen2/qwen2.ts";
export { type Qwen3Config, qwen3Config } from "../families/qwen3/config.ts";
export {
  Qwen3ForCausalLM,
  Qwen3ForSequenceClassification,
  Qwen3Model,
} from "../families/qwen3/qwen3.ts";
export { type Gemma3TextConfig, gemma3TextConfig } from "../families/gemma3-text/config.ts";
export {
  Gemma3ForCausalLM,
  Gemma3TextForSequenceClassification,
  Gemma3TextModel,
} from "../families/gemma3-text/gemma3-text.ts";
export { type MixtralConfig, mixtralConfig } from "../families/mixtral/config.ts";
export {
  MixtralForCausalLM,
  MixtralForSequenceClassification,
  MixtralModel,
} from "../families/mixtral/mixtral.ts";
export { mixtralCard } from "../families/mixtral/card.ts";
export { type Phi3Config, phi3Config } from "../families/phi3/config.ts";
export {
  Phi3ForCausalLM,
  Phi3ForSequenceClassification,
  Phi3Model,
} from "../families/phi3/phi3.ts";
export { phi3Card } from "../families/phi3/card.ts";
export { type GptOssConfig, gptOssConfig } from "../families/gpt-oss/config.ts";
export {
  GptOssForCausalLM,
  GptOssForSequenceClassification,
  GptOssModel,
} from "../families/gpt-oss/gpt-oss.ts";
export { gptOssCard } from "../families/gpt-oss/card.ts";
export { type GPTNeoConfig, gptNeoConfig } from "../families/gpt-neo/config.ts";
export {
  GPTNeoForCausalLM,
  GPTNeoForSequenceClassification,
  GPTNeoModel,
} from "../families/gpt-neo/gpt-neo.ts";
export { gptNeoCard } from "../families/gpt-neo/card.ts";
export { type GPTNeoXConfig, gptNeoXConfig } from "../families/gpt-neox/config.ts";
export {
  GPTNeoXForCausalLM,
  GPTNeoXForSequenceClassification,
  GPTNeoXModel,
} from "../families/gpt-neox/gpt-neox.ts";
export { gptNeoXCard } from "../families/gpt-neox/card.ts";
