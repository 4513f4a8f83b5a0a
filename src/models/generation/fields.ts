import { shown } from "../../base/describe-value.ts";
import { fail } from "../../nn/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import { camelCase, type JsonValue, snakeCase } from "../settings/config.ts";
import { DEFAULTS } from "./kinds.ts";
import type { FileOption } from "./options.ts";

/** Fields of `generation_config.json`, under camelCase names. */
export type GenerationFields = Readonly<Record<string, JsonValue>>;

/** What a field does that is no option of `generate`. */
export type FieldRole =
  /** Whisper's own, which its start tokens are made from. */
  | { readonly kind: "whisper" }
  /** It can change no text. */
  | { readonly kind: "ignored"; readonly why: string }
  /** It would change the text in a way that is not there. */
  | { readonly kind: "refused"; readonly neutral: readonly JsonValue[]; readonly why: string };

const ignored = (why: string): FieldRole => ({ kind: "ignored", why });
const refused = (why: string, ...neutral: readonly JsonValue[]): FieldRole => ({
  kind: "refused",
  neutral: [null, ...neutral],
  why,
});
const WHISPER: FieldRole = { kind: "whisper" };

const NOTE = ignored("a note on how the file was made");
const MEMORY = ignored("how keys and values are stored, which changes no text");
const SPEED = ignored("how programs are compiled, which changes no text");
const ASSISTANT = ignored("of an assistant model, and there is none");
const OUTPUTS = ignored("it changes no text; collecting interventions give what is inside");
const WORD_TIMES = ignored("of times of single words, which are not given");
const LONG_AUDIO = ignored("of recordings longer than the model's window, which are not cut here");

const MOVED = "transformers 5 has it no longer, and it is not here either";
const GUESSES = "texts are not continued from guesses";
const FALLBACK = "what was written badly is not written again";

/** Fields of `generation_config.json` besides those that are options of `generate`, by their names in the file. */
export const FIELD_ROLES: Readonly<Record<string, FieldRole>> = {
  _from_model_config: NOTE,
  _commit_hash: NOTE,
  _original_object_hash: NOTE,
  transformers_version: NOTE,
  trust_remote_code: NOTE,
  cache_config: MEMORY,
  max_cache_len: MEMORY,
  return_legacy_cache: MEMORY,
  prefill_chunk_size: MEMORY,
  low_memory: MEMORY,
  compile_config: SPEED,
  disable_compile: SPEED,
  continuous_batching_config: SPEED,
  num_assistant_tokens: ASSISTANT,
  num_assistant_tokens_schedule: ASSISTANT,
  assistant_confidence_threshold: ASSISTANT,
  assistant_lookbehind: ASSISTANT,
  target_lookbehind: ASSISTANT,
  assistant_ensemble_weight: ASSISTANT,
  max_matching_ngram_size: ASSISTANT,
  speculation_type: ASSISTANT,
  return_dict_in_generate: ignored("what generate gives is always an object"),
  output_attentions: OUTPUTS,
  output_hidden_states: OUTPUTS,
  cache_implementation: refused(
    "keys and values of few bits change the text, and are not kept",
    "dynamic",
    "static",
    "offloaded",
    "offloaded_static",
    "sliding_window",
    "hybrid",
    "hybrid_chunked",
    "offloaded_hybrid",
    "offloaded_hybrid_chunked",
    "mamba",
    "paged",
  ),
  num_beam_groups: refused(MOVED, 1),
  diversity_penalty: refused(MOVED, 0),
  penalty_alpha: refused(MOVED, 0),
  dola_layers: refused(MOVED),
  constraints: refused(MOVED),
  force_words_ids: refused(MOVED),
  is_assistant: refused(GUESSES, false),
  use_mtp: refused(GUESSES, false),
  prompt_lookup_num_tokens: refused(GUESSES),
  assistant_early_exit: refused(GUESSES),
  token_healing: refused("the end of a prompt is not rewritten", false),
  guidance_scale: refused("texts are not guided by a second prompt", 1),
  watermarking_config: refused("texts are not watermarked"),
  generation_kwargs: refused("it names arguments of Python functions", {}),
  lang_to_id: WHISPER,
  task_to_id: WHISPER,
  no_timestamps_token_id: WHISPER,
  is_multilingual: WHISPER,
  max_initial_timestamp_index: WHISPER,
  alignment_heads: WORD_TIMES,
  median_filter_width: WORD_TIMES,
  return_token_timestamps: refused("times of single words are not given", false),
  return_segments: refused("texts are given whole", false),
  prev_sot_token_id: LONG_AUDIO,
  condition_on_prev_tokens: LONG_AUDIO,
  prompt_condition_type: LONG_AUDIO,
  num_segment_frames: LONG_AUDIO,
  compression_ratio_threshold: refused(FALLBACK),
  logprob_threshold: refused(FALLBACK),
  no_speech_threshold: refused("silence is not told from speech"),
};

const FILE = "generation_config.json";

/** The names of all fields that are known, as in the file. */
export function knownFields(): readonly string[] {
  return [...Object.keys(DEFAULTS).map(snakeCase), ...Object.keys(FIELD_ROLES)];
}

/**
 * Checks that each field is known, and that none asks for what is not there.
 *
 * @throws ModelError naming the first that is wrong.
 */
export function checkFields(fields: GenerationFields): void {
  for (const [option, value] of Object.entries(fields)) {
    if (Object.hasOwn(DEFAULTS, option)) continue;
    const name = snakeCase(option);
    const role = Object.hasOwn(FIELD_ROLES, name) ? FIELD_ROLES[name] : undefined;
    // As in Python, what a model's configuration had besides is no setting of a generation.
    if (role === undefined && fields["FromModelConfig"] === true) continue;
    if (role === undefined) {
      fail(
        "generate",
        `${FILE} has the field ${name.slice(0, 60)}, which is not known; ${didYouMean(name.slice(0, 60), knownFields())}; to ` +
          `write without it: delete model.generationConfig[${shown(option)}]`,
      );
    }
    if (role.kind !== "refused" || isAmong(value, role.neutral)) continue;
    fail(
      "generate",
      `${FILE}: ${name} is ${shown(value)}, which is not done: ${role.why}; to write without it: ` +
        `delete model.generationConfig.${option}`,
    );
  }
}

function isAmong(value: JsonValue, others: readonly JsonValue[]): boolean {
  return others.some((other) => JSON.stringify(other) === JSON.stringify(value));
}

/** Fields that Python's models have under the same name for another purpose, or with no effect. */
const NOT_INHERITED: ReadonlySet<string> = new Set([
  "outputScores",
  "outputLogits",
  "task",
  "language",
]);

/**
 * Settings of generation in a `config.json`, where old versions of transformers kept them; there they
 * act where there is no `generation_config.json`. Empty if nothing differs from the defaults.
 *
 * @param fields - Of the `config.json`, under camelCase names.
 */
export function inheritedFields(fields: GenerationFields): GenerationFields {
  const inner = ["decoder", "generator", "textConfig"].map((name) => fields[name]);
  const places = [fields, ...inner.filter(isFields)];
  const found: Record<string, JsonValue> = {};
  for (const option of Object.keys(DEFAULTS) as FileOption[]) {
    const value = places.map((place) => place[option]).find((v) => v !== undefined && v !== null);
    if (value !== undefined && !NOT_INHERITED.has(option)) found[option] = value;
  }
  for (const [name, role] of Object.entries(FIELD_ROLES)) {
    const value = fields[camelCase(name)];
    if (role.kind !== "refused" || value === undefined) continue;
    if (!isAmong(value, role.neutral)) found[camelCase(name)] = value;
  }
  const says = Object.entries(found).some(
    ([name, value]) => !name.endsWith("TokenId") && !isAmong(value, [defaultOf(name)]),
  );
  return says ? { FromModelConfig: true, ...found } : {};
}

function defaultOf(option: string): JsonValue {
  return (DEFAULTS as GenerationFields)[option] ?? null;
}

function isFields(value: JsonValue | undefined): value is GenerationFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
