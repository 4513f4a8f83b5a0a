import { expect, test } from "vitest";
import { TsveneError } from "tsvene";

/** A mistake of a beginner: what it is, the call, and what must be said: what came, what to write. */
export type Mistake = readonly [what: string, call: () => unknown, message: RegExp];

/** Tests that each call, which may be asynchronous, is refused in these words. */
export function refusesEach(mistakes: readonly Mistake[]): void {
  test.each(mistakes)("%s", async (_, call, message) => {
    const error: unknown = await Promise.resolve()
      .then(call)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    expect(error).toBeInstanceOf(TsveneError);
    expect(String(error)).toMatch(message);
  });
}

/** A value as JavaScript has it, of which the compiler would refuse what a beginner does with it. */
export function untyped<T extends object>(
  value: T,
): { readonly [K in keyof T]: Untyped } & Untyped {
  return value as unknown as { readonly [K in keyof T]: Untyped } & Untyped;
}

/** Whatever is asked for, it is a function or class that takes anything. */
type Untyped = ((...args: unknown[]) => unknown) &
  (new (...args: unknown[]) => Untyped) & { readonly [name: string]: Untyped };
