import { refuse, TemplateError } from "./template-error.ts";
import { Dict, type Value } from "./values.ts";

/** Deeper values are taken for such that hold themselves. */
const MAX_DEPTH = 200;
/** Characters of a text that count like one more value. */
const CHARACTERS_PER_VALUE = 100;

/** Turns JavaScript's values into Python's, and counts them. */
export class FromJavaScript {
  /** Values so far. */
  count = 0;

  /**
   * @param where - What an error calls the value, such as `messages[0].content`.
   * @throws TemplateError for what JSON has no form for.
   */
  convert(value: unknown, where: string, depth = 0): Value {
    this.count += 1;
    if (depth > MAX_DEPTH) {
      throw new TemplateError(`${where.slice(0, 60)}... nests deeper than ${MAX_DEPTH} levels`);
    }
    if (typeof value === "string") this.count += value.length / CHARACTERS_PER_VALUE;
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "bigint") return value;
    if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
    if (Array.isArray(value)) {
      return Array.from(value, (item, i) => this.convert(item, `${where}[${i}]`, depth + 1));
    }
    if (isPlain(value)) return new Dict(this.#pairs(value, where, depth));
    return refuse(
      `${where}, which is ${describe(value)} and no text, number, list or plain object,`,
    );
  }

  /** A field that is undefined is as one that is not there, as in JSON. */
  *#pairs(value: object, where: string, depth: number): Generator<[string, Value]> {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) yield [key, this.convert(item, `${where}.${key}`, depth + 1)];
    }
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  // A plain object of another realm, such as a frame, has another Object.prototype.
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype as object, "hasOwnProperty")
  );
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  return `a ${value.constructor?.name ?? "object"}`;
}
