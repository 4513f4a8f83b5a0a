/** Percent-encodes as Jinja's `urlencode`: a slash stays outside of queries, a space is `+` in them. */
export function urlQuoted(text: string, inQuery: boolean): string {
  const encoded = encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return inQuery ? encoded.replaceAll("%20", "+") : encoded.replaceAll("%2F", "/");
}
