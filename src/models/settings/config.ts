import { endOfString, parseJson } from "../../files/parse-json.ts";
import { ModelError } from "../../nn/errors.ts";
import type { ProblemType } from "../parts/heads.ts";

/** What every model's configuration has. Further fields are the family's own. */
export interface ModelConfig {
  /** Hugging Face's name of the family, such as "gpt2". */
  readonly modelType: string;
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize?: number;
  /** Id of the token that begins a text. */
  readonly bosTokenId?: number | null;
  /** Id of the token that ends a text, or several of them. */
  readonly eosTokenId?: number | readonly number[] | null;
  /** Id of the padding token. */
  readonly padTokenId?: number | null;
  /** Classes of a classifier. */
  readonly numLabels?: number;
  /** What a classifier's labels mean. @default what they look like */
  readonly problemType?: ProblemType | null;
  /** Names of a classifier's labels by number. */
  readonly id2label?: Readonly<Record<string, string>>;
  /** Names of the classes whose weights lie beside a `config.json`. */
  readonly architectures?: readonly string[];
}

/** A value of a `config.json`. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Keys whose values are dictionaries of the user's own names, which stay as they are. */
const OPAQUE: ReadonlySet<string> = new Set([
  "id2label",
  "label2id",
  "auto_map",
  "autoMap",
  "task_specific_params",
  "taskSpecificParams",
]);

/** A setting's name here, from its name in files. */
// "_1" stays as it is: nothing would tell a "1" that stood after one from another.
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
}

/** A setting's name in files, from its name here. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
}

function renameKeys(value: JsonValue, rename: (name: string) => string): JsonValue {
  if (Array.isArray(value)) return value.map((v: JsonValue) => renameKeys(v, rename));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, v]: [string, JsonValue]) => [
      rename(key),
      OPAQUE.has(key) ? v : renameKeys(v, rename),
    ]),
  );
}

/** Python's infinities, as Hugging Face writes them where JSON has none. */
const SPECIAL = "__float__";

function special(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value)
    ? { [SPECIAL]: String(value) }
    : value;
}

/** Words that Python writes for numbers that JSON has none for, where a value may begin. */
const NUMBER_WORD = /-?Infinity|NaN/y;

/** A JSON text with Python's infinities as objects, in one pass. */
function withoutNumberWords(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '"') i = endOfString(text, i);
    if (char !== "-" && char !== "I" && char !== "N") continue;
    NUMBER_WORD.lastIndex = i;
    const word = NUMBER_WORD.exec(text)?.[0];
    if (word === undefined) continue;
    parts.push(text.slice(copied, i), JSON.stringify({ [SPECIAL]: word }));
    copied = i + word.length;
    i = copied - 1;
  }
  return copied === 0 ? text : parts.join("") + text.slice(copied);
}

function revive(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(revive);
  if (Object.hasOwn(value, SPECIAL)) return Number((value as Record<string, unknown>)[SPECIAL]);
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, revive(v)]));
}

/**
 * The JSON of a `config.json`, which may hold `Infinity` as Python writes it.
 * @param where what messages call the text.
 * @throws FileSourceError for text that is not JSON otherwise, or nested too deeply.
 */
export function parseConfigJson(text: string, where = "config.json"): unknown {
  const json = withoutNumberWords(text);
  const value = parseJson(json, where) as JsonValue;
  return json.includes(SPECIAL) ? revive(value) : value;
}

/** Files of today have about a hundred. */
const MOST_FIELDS = 2000;

/** The fields of a `config.json` under camelCase names. */
export function fromConfigJson(json: unknown): Record<string, JsonValue> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ModelError("config.json: expected an object of settings");
  }
  const count = Object.keys(json).length;
  if (count > MOST_FIELDS) {
    throw new ModelError(`config.json: ${count} settings are more than any model has`);
  }
  return renameKeys(json as JsonValue, camelCase) as Record<string, JsonValue>;
}

/** An object as plain JSON; what is undefined is left out. */
export function toJson(fields: object): Record<string, JsonValue> {
  return JSON.parse(JSON.stringify(fields, special)) as Record<string, JsonValue>;
}

/** Settings under the snake_case names of a `config.json`; undefined ones are left out. */
export function toConfigJson(config: object): Record<string, JsonValue> {
  return renameKeys(toJson(config), snakeCase) as Record<string, JsonValue>;
}

/** A whole number of 1 or more, or an error that names the family's setting. */
export function requirePositive(family: string, settings: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ModelError(`${family}: ${name} must be a whole number of 1 or more, got ${value}`);
    }
  }
}
