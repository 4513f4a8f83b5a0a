/** What the recording says of itself and measured on the way; it changes nothing that is replayed. */
const REMARK = /^(name|versions|seed|notes?|oracle)$|_note$|max_abs_|_diff\b|_diff_|_margin$/;

/**
 * Throws for a field that no replay knows, rather than replaying something else than was recorded.
 * Remarks and measurements of the recording pass.
 */
export function requireKnownFields(what: string, fields: object, known: readonly string[]): void {
  const unknown = Object.keys(fields).filter((name) => !known.includes(name) && !REMARK.test(name));
  if (unknown.length > 0) throw new Error(`not understood: ${what} has ${unknown.join(", ")}`);
}
