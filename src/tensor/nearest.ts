import { fail } from "./errors.ts";

/** Edits (insertions, deletions, replacements) between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidates that a mistyped name is likely to mean, likeliest first. */
export function nearestNames(name: string, candidates: Iterable<string>, count = 3): string[] {
  return [...candidates]
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** "did you mean a, b or c?" */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const names = nearestNames(name, candidates);
  const last = names.pop();
  if (last === undefined) return "there are none";
  return `did you mean ${names.length === 0 ? last : `${names.join(", ")} or ${last}`}?`;
}

/** @throws TensorError for a name among the options that there is not, or options that are none. */
export function checkNames(op: string, options: object, known: Iterable<string>): void {
  const names = new Set(known);
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    fail(op, `options are one object by name: ${[...names].slice(0, 3).join(", ")}, ...`);
  }
  for (const name of Object.keys(options)) {
    if (!names.has(name)) fail(op, `there is no option ${name}; ${didYouMean(name, names)}`);
  }
}
