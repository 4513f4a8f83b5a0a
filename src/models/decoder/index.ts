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
