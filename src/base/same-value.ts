/**
 * A key that equal values have in common: numbers, strings and booleans by what they are, lists and
 * plain objects by what is in them. Other objects are equal to themselves only, and have none.
 */
export function keyOf(value: unknown): string | undefined {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol" || typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return String(value);
  if (isList(value)) return joined("[", Array.from(value, keyOf), "]");
  if (!isPlain(value)) return undefined;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = entries.map(([name, part]) => {
    const key = keyOf(part);
    return key === undefined ? undefined : `${JSON.stringify(name)}:${key}`;
  });
  return joined("{", parts, "}");
}

function joined(
  open: string,
  parts: readonly (string | undefined)[],
  close: string,
): string | undefined {
  return parts.includes(undefined) ? undefined : `${open}${parts.join(",")}${close}`;
}

/** Whether two values are the same, lists and plain objects by what is in them. */
export function isSame(a: unknown, b: unknown): boolean {
  // 0 and -0 are one value, as NaN and NaN are.
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isList(a)) return isList(b) && a.length === b.length && everySame(a, b);
  if (!isPlain(a) || !isPlain(b) || isList(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
  );
}

function isList(value: object): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function everySame(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  for (let i = 0; i < a.length; i++) if (!isSame(a[i], b[i])) return false;
  return true;
}

function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  return Object.getPrototypeOf(value) === Object.prototype;
}
