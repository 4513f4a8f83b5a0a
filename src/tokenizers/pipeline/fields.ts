import { isObject } from "../../formats/json-values.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/** An object of a JSON file. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A value in a few characters, whatever its size. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return "an object";
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Components may hold others, so deep that reading them would run out of stack. */
const MAX_DEPTH = 64;

/** Components that a file may have, and characters of its patterns. */
const MAX_COMPONENTS = 1000;
const MAX_PATTERNS = 20_000;

/** What is counted over all objects of a file. */
interface Load {
  /** Parts that have been declared. */
  components: number;
  /** Characters of the patterns that have been read. */
  patterns: number;
}

/** The fields of one object of a tokenizer's files, read with what was expected of them. */
export class Fields {
  /** The object that is read. */
  readonly json: JsonObject;
  /** Path of the object, for errors: `tokenizer.json: decoder.decoders[0]`. */
  readonly where: string;
  readonly #depth: number;
  readonly #load: Load;

  /** @throws TokenizerError when it is no object, or lies too deep. */
  constructor(
    json: unknown,
    where: string,
    depth = 0,
    load: Load = { components: 0, patterns: 0 },
  ) {
    if (!isObject(json)) {
      throw new TokenizerError(`${where} is ${shown(json)}; an object was expected`);
    }
    if (depth > MAX_DEPTH) {
      throw new TokenizerError(`${where}: components lie within one another ${depth} deep`);
    }
    this.json = json;
    this.where = where;
    this.#depth = depth;
    this.#load = load;
  }

  #path(key: string): string {
    return `${this.where}${this.where.endsWith(".json") ? ": " : "."}${key}`;
  }

  /** Whether the key is there, and is not null. */
  has(key: string): boolean {
    return this.json[key] !== undefined && this.json[key] !== null;
  }

  /** An error that says where in the file it is, what was there and what was expected. */
  wrong(key: string, expected: string): TokenizerError {
    return new TokenizerError(
      `${this.where}: ${key} is ${shown(this.json[key])}; ${expected} was expected`,
    );
  }

  /** The text at a key, or `missing` where there is none. */
  text(key: string, missing?: string): string {
    const value = this.json[key] ?? missing;
    if (typeof value === "string") return value;
    throw this.wrong(key, "text");
  }

  /** The text at a key; undefined where there is none. */
  optionalText(key: string): string | undefined {
    return this.has(key) ? this.text(key) : undefined;
  }

  /** Text of one character. */
  character(key: string): string {
    const value = this.text(key);
    if (Array.from(value).length === 1) return value;
    throw this.wrong(key, "one character");
  }

  /** A text to look for; all of a file's together have a limit, as looking takes their length. */
  patternText(key: string): string {
    const value = this.text(key);
    this.#load.patterns += value.length;
    if (this.#load.patterns <= MAX_PATTERNS) return value;
    throw new TokenizerError(
      `${this.where}: the patterns of a file have more than ${MAX_PATTERNS} characters`,
    );
  }

  /** The boolean at a key, or `missing` where there is none. */
  flag(key: string, missing?: boolean): boolean {
    const value = this.json[key] ?? missing;
    if (typeof value === "boolean") return value;
    throw this.wrong(key, "true or false");
  }

  /** A whole number that is not negative. */
  count(key: string, missing?: number): number {
    const value = this.json[key] ?? missing;
    if (isCount(value)) return value;
    throw this.wrong(key, "a whole number of at least 0");
  }

  /** One of a few words at a key, or `missing` where there is none. */
  word<T extends string>(key: string, words: readonly T[], missing?: T): T {
    const value = this.json[key] ?? missing;
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw this.wrong(key, `one of ${words.map((word) => JSON.stringify(word)).join(", ")}`);
  }

  /** The list at a key, or `missing` where there is none. */
  list(key: string, missing?: readonly unknown[]): readonly unknown[] {
    const value = this.json[key] ?? missing;
    if (Array.isArray(value)) return value;
    throw this.wrong(key, "a list");
  }

  /** The object at a key. */
  child(key: string): Fields {
    return new Fields(this.json[key], this.#path(key), this.#depth + 1, this.#load);
  }

  /** The objects of the list at a key. */
  children(key: string): Fields[] {
    return this.list(key).map(
      (item, i) => new Fields(item, `${this.#path(key)}[${i}]`, this.#depth + 1, this.#load),
    );
  }

  /** The row of a table of components that this object's `type` names. */
  component<T>(table: Readonly<Record<string, T>>): T {
    if (++this.#load.components > MAX_COMPONENTS) {
      throw new TokenizerError(`${this.where}: a file has more than ${MAX_COMPONENTS} components`);
    }
    const type = this.text("type");
    const row = Object.hasOwn(table, type) ? table[type] : undefined;
    if (row !== undefined) return row;
    throw this.wrong("type", `one of ${Object.keys(table).join(", ")}`);
  }
}

/** Ids are 32-bit numbers without a sign. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff;
}
