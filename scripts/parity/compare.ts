import type { Tensor } from "tsvene";
import type { CaseResult } from "./case-result.ts";

/** One tensor compared with the recorded one. */
export interface Comparison {
  readonly tensor: string;
  /** Largest absolute difference; infinite where shapes or NaNs differ. */
  readonly error: number;
  readonly tolerance: number;
  /** What is wrong apart from numbers. */
  readonly reason?: string;
}

/** How far an error is towards its tolerance; above 1 it fails. */
function share({ error, tolerance }: Comparison): number {
  if (error === 0) return 0;
  return tolerance === 0 ? Infinity : error / tolerance;
}

/** Largest absolute value. */
export async function largest(t: Tensor): Promise<number> {
  let most = 0;
  for (const value of await t.data()) most = Math.max(most, Math.abs(Number(value)));
  return most;
}

/**
 * Compares all elements of two tensors.
 * @param only which leading positions count; all where undefined.
 */
export async function compare(
  tensor: string,
  actual: Tensor,
  expected: Tensor,
  { tolerance, only }: { readonly tolerance: number; readonly only?: Tensor | undefined },
): Promise<Comparison> {
  const shapes = [actual.shape, expected.shape].map((shape) => `[${shape.join(", ")}]`);
  if (shapes[0] !== shapes[1]) {
    const reason = `${tensor} has shape ${shapes[0]}, recorded is ${shapes[1]}`;
    return { tensor, error: Infinity, tolerance, reason };
  }
  const [a, b] = [await actual.data(), await expected.data()];
  const counts = await only?.data();
  const width = a.length / Math.max(1, counts?.length ?? 1);
  let error = 0;
  for (let i = 0; i < a.length; i++) {
    if (counts !== undefined && Number(counts[Math.floor(i / width)]) === 0) continue;
    const [x, y] = [Number(a[i]), Number(b[i])];
    if (Object.is(x, y)) continue;
    const difference = Math.abs(x - y);
    error = Number.isNaN(difference) ? Infinity : Math.max(error, difference);
  }
  return { tensor, error, tolerance };
}

/** The result of a case from its comparisons. */
export function resultOf(name: string, comparisons: readonly Comparison[]): CaseResult {
  const [first] = comparisons;
  if (first === undefined) return notReplayed(name, "nothing is recorded that could be compared");
  const worst = comparisons.reduce((a, b) => (share(b) > share(a) ? b : a), first);
  const reasons = comparisons.flatMap(({ reason }) => reason ?? []);
  return {
    name,
    worst: worst.error,
    tolerance: worst.tolerance,
    tensor: worst.tensor,
    compared: comparisons.length,
    failed: share(worst) > 1,
    ...(reasons.length > 0 ? { reason: reasons.join("; ") } : {}),
  };
}

/** The result of a case that could not be replayed. */
export function notReplayed(name: string, error: unknown): CaseResult {
  const reason = error instanceof Error ? error.message : String(error);
  return { name, worst: NaN, tolerance: 0, tensor: "-", compared: 0, failed: true, reason };
}
