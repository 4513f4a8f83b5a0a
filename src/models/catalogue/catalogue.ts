/**
 * All families: to add one is to add its folder, and its line here. What the folder's main file exports
 * is public, and the auto classes find its classes that say `static readonly auto`.
 */
export * from "../composites/backpack-gpt2/backpack-gpt2.ts";
export * from "../composites/llava/llava.ts";
export * from "../families/bert/bert.ts";
export * from "../families/blip/blip.ts";
export * from "../families/bloom/bloom.ts";
export * from "../families/clip/clip.ts";
export * from "../families/convnext/convnext.ts";
export * from "../families/esm/esm.ts";
export * from "../families/falcon/falcon.ts";
export * from "../families/gemma/gemma.ts";
export * from "../families/gemma2/gemma2.ts";
export * from "../families/gemma3-text/gemma3-text.ts";
export * from "../families/gpt-neo/gpt-neo.ts";
export * from "../families/gpt-neox/gpt-neox.ts";
export * from "../families/gpt-oss/gpt-oss.ts";
export * from "../families/gpt2/gpt2.ts";
export * from "../families/gptj/gptj.ts";
export * from "../families/gru/gru.ts";
export * from "../families/llama/llama.ts";
export * from "../families/mamba/mamba.ts";
export * from "../families/mamba2/mamba2.ts";
export * from "../families/mistral/mistral.ts";
export * from "../families/mixtral/mixtral.ts";
export * from "../families/mllama/mllama.ts";
export * from "../families/mlp/mlp.ts";
export * from "../families/olmo/olmo.ts";
export * from "../families/olmo2/olmo2.ts";
export * from "../families/opt/opt.ts";
export * from "../families/phi/phi.ts";
export * from "../families/phi3/phi3.ts";
export * from "../families/qwen2/qwen2.ts";
export * from "../families/qwen3/qwen3.ts";
export * from "../families/qwen3-moe/qwen3-moe.ts";
export * from "../families/resnet/resnet.ts";
export * from "../families/rwkv/rwkv.ts";
export * from "../families/t5/t5.ts";
export * from "../families/vit/vit.ts";
export * from "../families/wav2vec2-bert/wav2vec2-bert.ts";
export * from "../families/whisper/whisper.ts";
