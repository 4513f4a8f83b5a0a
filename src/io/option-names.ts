/**
 * Names that options are not called, such as those of other libraries.
 * @returns what is wrong; undefined if all are known.
 */
export function unknownOptions(options: object, known: readonly string[]): string | undefined {
  const strange = Object.keys(options).filter((name) => !known.includes(name));
  if (strange.length === 0) return undefined;
  return `there is no option ${strange.join(", ")}; there are ${known.join(", ")}`;
}
