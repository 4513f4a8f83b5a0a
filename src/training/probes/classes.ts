import { fail } from "../../base/errors.ts";
import { shown } from "../../base/describe-value.ts";

/** What a class is called. */
export type ClassLabel = string | number | boolean;

/** The classes that labels name, in order, and the number of each label's class. */
export interface Classes {
  readonly names: readonly ClassLabel[];
  readonly numbers: readonly number[];
}

/** @throws TsveneError for labels that are not one for each sample, or all the same. */
export function classesOf(op: string, labels: readonly ClassLabel[], samples: number): Classes {
  if (!Array.isArray(labels)) {
    fail(op, `labels must be a list, one for each sample, got ${shown(labels)}`);
  }
  if (labels.length !== samples) {
    fail(op, `there are ${labels.length} labels for ${samples} samples; give one for each`);
  }
  const names = [...new Set(labels)].sort(inOrder);
  if (names.length < 2) {
    fail(op, `all labels are ${shown(names[0])}; a probe needs samples of two classes at least`);
  }
  const numbers = new Map(names.map((name, i) => [name, i]));
  return { names, numbers: labels.map((label) => numbers.get(label) ?? 0) };
}

/** Numbers by size, all else as text. */
function inOrder(a: ClassLabel, b: ClassLabel): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : 1;
}
