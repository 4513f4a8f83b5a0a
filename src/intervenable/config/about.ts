import { shown } from "../../base/describe-value.ts";
import { fail } from "../../interventions/errors.ts";

/** What there is to know of interventions: plain data, which files keep and nothing else reads. */
export type About = Readonly<Record<string, unknown>>;

/** A copy, so that it stays as it is. @throws InterventionError for what JSON would not give back. */
export function readAbout(op: string, about: unknown): About | undefined {
  if (about === undefined) return undefined;
  const isObject = typeof about === "object" && about !== null && !Array.isArray(about);
  if (isObject && isPlain(about)) return structuredClone(about) as About;
  return fail(
    op,
    `about must be an object of texts, finite numbers, true, false, null, and lists and objects of these, ` +
      `got ${shown(about)}`,
  );
}

function isPlain(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== "object") return false;
  const isLiteral = [Object.prototype, null].includes(Object.getPrototypeOf(value));
  return isLiteral && Object.values(value).every(isPlain);
}
