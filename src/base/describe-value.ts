/** What a value is, in the words of an error: "a Promise", "a string", "a list of 3 numbers". */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (isPromise(value)) return "a Promise (write await before the call that gave it)";
  if (Array.isArray(value)) return describeList(value);
  if (typeof value === "object") {
    const name: unknown = value.constructor?.name;
    return name === "Object" || typeof name !== "string" ? "a plain object" : `a ${name}`;
  }
  if (typeof value === "function") return `the function ${value.name || "without a name"}`;
  return `a ${typeof value}`;
}

/** A value as one would write it, if that is short; else what it is. */
export function shown(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const text = isWritable(value) ? JSON.stringify(value) : "";
  if (text === "") return describeValue(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

/** Whether JSON says all of a value, as of a word or nested numbers. */
function isWritable(value: unknown): boolean {
  if (typeof value !== "object" || value === null) {
    return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value); // prettier-ignore
  }
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return plain && Object.values(value).every(isWritable);
}

/** Whether somebody forgot an `await`. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === "function"
  );
}

function describeList(list: readonly unknown[]): string {
  const kinds = new Set(list.map((entry) => typeof entry));
  const [kind] = kinds;
  if (kinds.size !== 1 || kind === "object") return `a list of ${list.length}`;
  return `a list of ${list.length} ${kind}s`;
}
