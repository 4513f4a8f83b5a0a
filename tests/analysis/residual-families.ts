/** Recorded language models whose layers add to a residual stream. */
export const RESIDUAL_FAMILIES: readonly string[] =
  "llama mistral mixtral gemma gemma2 gemma3_text qwen2 qwen3 qwen3_moe olmo olmo2 phi phi_head_norms phi3 gpt_oss gpt_neo gpt_neox gpt_neox_serial gptj opt bloom falcon falcon_new falcon_alibi gpt2".split(
    " ",
  );

/** Recorded language models whose layers do something else, and how it is said. */
export const UNDIVIDED_FAMILIES: Readonly<Record<string, RegExp>> = {
  opt_post_norm: /OPTForCausalLM: layer 0 does not give the sum/,
  mamba: /MambaForCausalLM has no residual stream/,
  mamba2: /Mamba2ForCausalLM has no residual stream/,
  rwkv: /RwkvForCausalLM has no residual stream/,
};
