import type { JsonValue } from "../settings/config.ts";

/**
 * Settings that are fractions. Python's readers refuse a whole number there, and tell the two apart
 * by the decimal point, which JSON.stringify leaves out.
 */
const FRACTIONS: ReadonlySet<string> = new Set([
  "assistant_confidence_threshold",
  "assistant_ensemble_weight",
  "attention_probs_dropout_prob",
  "attn_logit_softcapping",
  "clip_qkv",
  "compression_ratio_threshold",
  "diversity_penalty",
  "dropout_rate",
  "encoder_repetition_penalty",
  "epsilon",
  "epsilon_cutoff",
  "eta_cutoff",
  "final_logit_softcapping",
  "guidance_scale",
  "hidden_dropout_prob",
  "init_std",
  "initializer_factor",
  "initializer_range",
  "label_smoothing",
  "layer_norm_eps",
  "layer_norm_epsilon",
  "layer_scale_init_value",
  "length_penalty",
  "logit_scale_init_value",
  "logprob_threshold",
  "max_time",
  "min_p",
  "no_speech_threshold",
  "norm_eps",
  "penalty_alpha",
  "repetition_penalty",
  "rms_norm_eps",
  "router_aux_loss_coef",
  "router_jitter_noise",
  "temperature",
  "time_step_floor",
  "time_step_limit",
  "time_step_max",
  "time_step_min",
  "time_step_scale",
  "top_h",
  "top_p",
  "typical_p",
]);

/** Settings whose pairs end in a fraction: `[start, factor]`, or a list of `[tokens, bias]`. */
const PAIRS: ReadonlySet<string> = new Set(["exponential_decay_length_penalty", "sequence_bias"]);

/** Marks a text that stands for a number; no setting begins so. */
const MARK = "\0number:";

function withPoint(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withPoint);
  const whole = typeof value === "number" && Number.isSafeInteger(value);
  return whole ? `${MARK}${value}.0` : value;
}

function withLastPoint(value: JsonValue): JsonValue {
  if (!Array.isArray(value)) return value;
  const list: readonly JsonValue[] = value;
  if (list.every(Array.isArray)) return list.map(withLastPoint);
  return list.map((entry, i) => (i === list.length - 1 ? withPoint(entry) : entry));
}

/** The text of a `config.json` or `generation_config.json`, with a decimal point in every setting that is a fraction. */
export function configText(fields: Readonly<Record<string, JsonValue>>): string {
  const marked = (key: string, value: JsonValue): JsonValue => {
    if (FRACTIONS.has(key)) return withPoint(value);
    return PAIRS.has(key) ? withLastPoint(value) : value;
  };
  const text = JSON.stringify(fields, marked, 2);
  return `${text.replaceAll(/"\\u0000number:([^"]+)"/g, "$1")}\n`;
}
