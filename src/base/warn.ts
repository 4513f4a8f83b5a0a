/** Texts that have been said; their number is bounded, as they may hold names from files. */
const said = new Set<string>();
const MOST_KEPT = 1000;

/**
 * Says on the console (`console.warn`, which writes to stderr in Node) what is likely not what was
 * meant but can be gone on with. The same text is said once in a process.
 *
 * @param caller what the message begins with: the function or method that was called.
 */
export function warn(caller: string, message: string): void {
  const text = `tsvene: ${caller}: ${message}`;
  if (said.has(text)) return;
  if (said.size >= MOST_KEPT) said.clear();
  said.add(text);
  // oxlint-disable-next-line no-console -- the one place that writes there
  console.warn(text);
}
