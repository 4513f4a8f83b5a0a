import type { JsonValue } from "./config.ts";

/**
 * Settings that are fractions. Python's readers refuse a whole number there, and tell the two apart
 * by the decimal point, which JSON.stringify leaves out.
 */
const FRACTIONS: ReadonlySet<string> = new Set([
  "attention_probs_dropout_prob",
  "attn_logit_softcapping",
  "clip_qkv",
  "dropout_rate",
  "epsilon",
  "final_logit_softcapping",
  "hidden_dropout_prob",
  "init_std",
  "initializer_factor",
  "initializer_range",
  "label_smoothing",
  "layer_norm_eps",
  "layer_norm_epsilon",
  "layer_scale_init_value",
  "logit_scale_init_value",
  "norm_eps",
  "rms_norm_eps",
  "router_aux_loss_coef",
  "router_jitter_noise",
  "time_step_floor",
  "time_step_limit",
  "time_step_max",
  "time_step_min",
  "time_step_scale",
]);

/** Marks a text that stands for a number; no setting begins so. */
const MARK = "\0number:";

function withPoint(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withPoint);
  const whole = typeof value === "number" && Number.isSafeInteger(value);
  return whole ? `${MARK}${value}.0` : value;
}

/** The text of a `config.json`, with a decimal point in every setting that is a fraction. */
export function configText(fields: Readonly<Record<string, JsonValue>>): string {
  const marked = (key: string, value: JsonValue): JsonValue =>
    FRACTIONS.has(key) ? withPoint(value) : value;
  const text = JSON.stringify(fields, marked, 2);
  return `${text.replaceAll(/"\\u0000number:([^"]+)"/g, "$1")}\n`;
}
