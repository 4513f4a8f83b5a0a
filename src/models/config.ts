import { TensorError } from "../tensor/errors.ts";

/** What every model's configuration has. Further fields are the family's own. */
export interface ModelConfig {
  /** Hugging Face's name of the family, such as "gpt2". */
  readonly modelType: string;
  readonly vocabSize?: number;
  readonly bosTokenId?: number | null;
  readonly eosTokenId?: number | readonly number[] | null;
  readonly padTokenId?: number | null;
  readonly numLabels?: number;
}

/** A value of a `config.json`. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Keys whose values are dictionaries of the user's own names, which stay as they are. */
const OPAQUE: ReadonlySet<string> = new Set(["id2label", "label2id"]);

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
}

function snakeCase(name: string): string {
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

/** The fields of a `config.json` under camelCase names. */
export function fromConfigJson(json: unknown): Record<string, JsonValue> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TensorError("config.json: expected an object of settings");
  }
  return renameKeys(json as JsonValue, camelCase) as Record<string, JsonValue>;
}

/** Settings under the snake_case names of a `config.json`; undefined ones are left out. */
export function toConfigJson(config: object): Record<string, JsonValue> {
  const plain = JSON.parse(JSON.stringify(config)) as JsonValue;
  return renameKeys(plain, snakeCase) as Record<string, JsonValue>;
}

/** `given` over `defaults`; a field given as undefined keeps its default. */
export function withDefaults<C extends object>(defaults: C, given: Partial<C>): C {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(set) as Partial<C>) };
}

/** A whole number of 1 or more, or an error that names the family's setting. */
export function requirePositive(family: string, settings: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new TensorError(`${family}: ${name} must be a whole number of 1 or more, got ${value}`);
    }
  }
}
