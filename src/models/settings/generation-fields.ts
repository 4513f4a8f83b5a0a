import { camelCase, type JsonValue } from "../config.ts";

/**
 * Fields of a `config.json` that are defaults of `generate` where there is no
 * `generation_config.json`: transformers 4 wrote them there.
 */
export const GENERATION_FIELDS: readonly string[] = [
  "max_length",
  "min_length",
  "max_new_tokens",
  "min_new_tokens",
  "do_sample",
  "early_stopping",
  "num_beams",
  "num_beam_groups",
  "diversity_penalty",
  "temperature",
  "top_k",
  "top_p",
  "min_p",
  "typical_p",
  "epsilon_cutoff",
  "eta_cutoff",
  "repetition_penalty",
  "encoder_repetition_penalty",
  "length_penalty",
  "no_repeat_ngram_size",
  "encoder_no_repeat_ngram_size",
  "bad_words_ids",
  "force_words_ids",
  "sequence_bias",
  "renormalize_logits",
  "constraints",
  "num_return_sequences",
  "output_scores",
  "output_logits",
  "return_dict_in_generate",
  "forced_bos_token_id",
  "forced_eos_token_id",
  "forced_decoder_ids",
  "remove_invalid_values",
  "exponential_decay_length_penalty",
  "suppress_tokens",
  "begin_suppress_tokens",
  "penalty_alpha",
  "guidance_scale",
  "stop_strings",
  "max_time",
];

const NAMES: readonly string[] = GENERATION_FIELDS.map(camelCase);

/**
 * Those settings of a model that are defaults of `generate` where its checkpoint has no
 * `generation_config.json`, under camelCase names.
 */
export function legacyGenerationFields(config: object): Record<string, JsonValue> {
  const fields = config as Readonly<Record<string, JsonValue | undefined>>;
  const given = NAMES.map((name) => [name, fields[name]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Record<
    string,
    JsonValue
  >;
}
