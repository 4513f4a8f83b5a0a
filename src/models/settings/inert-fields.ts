import { camelCase } from "./config.ts";
import { GENERATION_FIELDS } from "./generation-fields.ts";

/** Fields of a `config.json` that change nothing here, with what they are, for one reason. */
export interface InertFields {
  /** Why they change nothing. */
  readonly why: string;
  /** Names as in files; one that ends in `*` means all that begin so. */
  readonly names: readonly string[];
}

/** Fields that the files of all families may have and that change nothing here. */
export const INERT_FIELDS: readonly InertFields[] = [
  {
    why: "says who wrote the file, and with what",
    names: [
      "_*",
      "transformers_version",
      "transformers_weights",
      "adapters_version",
      "sentence_transformers",
      "name_or_path",
      "base_model",
      "base_model_name_or_path",
      "model_name",
      "model_max_length",
      "tokenizer_class",
      "processor_class",
      "feature_extractor_type",
      "prefix",
      "model_card",
      "license",
      "language",
      "tags",
      "author",
      "version",
    ],
  },
  {
    why: "names Python code or kernels; what runs here is this library's own",
    names: [
      "auto_map",
      "custom_pipelines",
      "trust_remote_code",
      "attn_implementation",
      "use_flash_attn",
      "use_flash_attention",
      "flash_attention",
      "flash_attn",
      "use_sdpa",
      "use_xformers",
      "use_memory_efficient_attention",
      "experts_implementation",
      "fused_mlp",
      "fused_bias_fc",
      "fused_dropout_add_ln",
      "use_fused_mlp",
      "use_fused_rope",
      "use_liger_kernel",
      "torchscript",
      "torchdynamo",
      "xla_device",
      "tf_legacy_loss",
      "use_bfloat16",
      "pretraining_tp",
      "pretraining_pp",
      "base_model_tp_plan",
      "base_model_pp_plan",
      "tp_plan",
      "distributed_config",
      "fusion_config",
      "chunk_size_feed_forward",
    ],
  },
  {
    why: "the element type is the option `dtype` of `fromPretrained`",
    names: ["torch_dtype", "dtype", "bf16", "fp16", "fp32"],
  },
  {
    why: "outputs always hold what it asks for",
    names: [
      "return_dict",
      "use_return_dict",
      "output_attentions",
      "output_hidden_states",
      "output_past",
      "use_cache",
      "cache_implementation",
      "keys_to_ignore_at_inference",
    ],
  },
  {
    why: "acts on weights at the start only, which are read",
    names: ["initializer_range", "initializer_factor", "init_std", "embedding_init_std"],
  },
  {
    why: "acts in training programs only",
    names: [
      "gradient_checkpointing",
      "use_gradient_checkpointing",
      "gradient_checkpointing_kwargs",
      "finetuning_task",
      "task_specific_params",
      "max_sequence_length",
      "seq_length",
      "max_seq_len",
      "max_seq_length",
      "train_batch_size",
      "seed",
      "loss_type",
      "freeze",
      "unfreeze",
      "ignore_index",
    ],
  },
  {
    why: "left in the file by another program",
    names: [
      "unsloth_*",
      "axolotl_*",
      "mergekit_*",
      "merge_*",
      "vllm_*",
      "awq_*",
      "gptq_*",
      "onnx_*",
      "openvino_*",
      "optimum_*",
      "neuron",
      "transformers.js_config",
      "mlx_*",
      "llama_cpp_*",
      "gguf_*",
      "peft_*",
      "lora_*",
      "zero_infer",
      "eagle_*",
      "speculators_*",
      "model_file",
      "rope_scaling_*",
      "sparsity_config",
      "compression_config",
      "finegrained_*",
    ],
  },
  {
    why: "how weights are packed, which is read with them and not a setting of the model",
    names: ["quantization_config", "quantization"],
  },
  {
    why: "names a token, which generation and tokenizers take from their own files",
    names: [
      "cls_token_id",
      "mask_token_id",
      "unk_token_id",
      "image_token_id",
      "bos_token",
      "eos_token",
      "pad_token",
      "unk_token",
    ],
  },
  {
    why: "a default of `generate`, as files before `generation_config.json` have them",
    names: GENERATION_FIELDS,
  },
];

/** A field that is harmless with some values only. */
export interface Neutral {
  /** The values at which it changes nothing. */
  readonly values: readonly unknown[];
  /** What it would do otherwise. */
  readonly why: string;
}

/** Fields that the files of all families may have and that are refused unless they are neutral. */
export const NEUTRAL_FIELDS: ReadonlyMap<string, Neutral> = new Map<string, Neutral>([
  ["addCrossAttention", { values: [false, null], why: "layers would look at an encoder" }],
  ["crossAttentionHiddenSize", { values: [null], why: "layers would look at an encoder" }],
  ["isEncoderDecoder", { values: [false, null], why: "the model would have an encoder" }],
  ["tieEncoderDecoder", { values: [false, null], why: "two halves would share weights" }],
  ["prunedHeads", { values: [{}, null, []], why: "heads would be left out" }],
  ["sharedAttentionHeads", { values: [null], why: "heads would share weights" }],
  ["isDecoder", { values: [false, null], why: "tokens would not see those after them" }],
]);

const GIVEN: readonly string[] = INERT_FIELDS.flatMap(({ names }) => names);
const EXACT: ReadonlySet<string> = new Set(GIVEN.filter((n) => !n.endsWith("*")).map(camelCase));
// A name that begins with "_" begins with a capital letter here.
const BEGINNINGS: readonly RegExp[] = GIVEN.filter((n) => n.endsWith("*")).map((n) =>
  n === "_*" ? /^[_A-Z]/ : new RegExp(`^${camelCase(n.slice(0, -2))}(?:[A-Z_]|$)`),
);

/** Whether a field, under its camelCase name, changes nothing in any family. */
export function inertField(name: string): boolean {
  return EXACT.has(name) || BEGINNINGS.some((beginning) => beginning.test(name));
}
