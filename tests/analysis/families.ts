/** Recorded checkpoints of language models with a residual stream, one of each family. */
export const DECODERS: readonly string[] =
  "gpt2 llama mistral mixtral gemma gemma2 gemma3_text qwen2 qwen3 qwen3_moe olmo olmo2 phi phi3 gpt_oss gpt_neo gpt_neox gpt_neox_serial gptj opt opt_post_norm bloom falcon falcon_new falcon_alibi".split(
    " ",
  );
/** Those whose layers are no attention. */
export const RECURRENT: readonly string[] = ["mamba", "mamba2", "rwkv"];
