const URLS = /(\bhttps?:\/\/)(?:[^\s/?#"'<>]*@)?([^\s?#"'<>]*)(\?[^\s"'<>)]*)?/gi;

/**
 * A text without what must not be read in a message or a log: the secrets given, and of URLs the
 * user, the password and the query, which in signed ones is a key.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  const hidden = secrets
    .filter((secret) => secret !== "")
    .reduce((rest, secret) => rest.replaceAll(secret, "[secret]"), text);
  return hidden.replace(URLS, (_, scheme: string, place: string, query?: string) =>
    query === undefined ? scheme + place : `${scheme}${place}?...`,
  );
}

/** All that an error says, or undefined when that cannot be told. */
function textOf(error: unknown, depth = 0): string | undefined {
  if (depth > 8) return undefined;
  try {
    if (!(error instanceof Error)) return `${String(error)} ${JSON.stringify(error) ?? ""}`;
    const cause = error.cause === undefined ? "" : textOf(error.cause, depth + 1);
    if (cause === undefined) return undefined;
    const fields = Object.entries(error).filter(([name]) => name !== "cause");
    return [error.message, error.stack, JSON.stringify(fields), cause].join(" ");
  } catch {
    return undefined;
  }
}

/** An error as the cause of another: itself, or its message where it says what must not be read. */
export function redactedCause(error: unknown, secrets: readonly string[]): unknown {
  const text = textOf(error);
  if (text !== undefined && redact(text, secrets) === text) return error;
  const message = error instanceof Error ? error.message : String(error);
  const plain = new Error(redact(message, secrets));
  plain.stack = `Error: ${plain.message}`;
  return plain;
}
