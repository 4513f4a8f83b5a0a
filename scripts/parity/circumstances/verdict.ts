import { TsveneError } from "tsvene";
import type { CaseResult } from "../case-result.ts";
import { notReplayed } from "../compare.ts";

/** The reason of a refusal in the library's own words; undefined for any other error. */
export function refusal(error: unknown): string | undefined {
  return error instanceof TsveneError ? error.message : undefined;
}

/** What is compared exactly: texts, token ids. */
export function exactly(name: string, what: string, actual: unknown, wanted: unknown): CaseResult {
  const [got, want] = [JSON.stringify(actual), JSON.stringify(wanted)];
  const failed = got !== want;
  return {
    name,
    worst: failed ? Infinity : 0,
    tolerance: 0,
    tensor: what,
    compared: 1,
    failed,
    ...(failed ? { reason: `${what} is ${got}, recorded is ${want}` } : {}),
  };
}

/**
 * Runs one circumstance. What the library refuses in its own words is said, and has not failed:
 * only a wrong number, a wrong text or a bare error has. `refused` says whether the original refuses
 * it as well, and so it may not come out as anything.
 */
export async function circumstance(
  name: string,
  run: () => Promise<CaseResult>,
  { refused = false }: { readonly refused?: boolean } = {},
): Promise<CaseResult> {
  try {
    const result = await run();
    if (!refused) return result;
    return notReplayed(name, new Error("it was taken, and the original refuses it"));
  } catch (error) {
    const reason = refusal(error);
    return reason === undefined
      ? notReplayed(name, error)
      : { name, worst: 0, tolerance: 0, tensor: "-", compared: 0, failed: false, refused: reason };
  }
}
