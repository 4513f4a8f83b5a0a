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
