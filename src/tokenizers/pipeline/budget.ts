import { TokenizerError } from "./tokenizer-error.ts";

/** Steps that working on one text may take yet, whatever part of the tokenizer takes them. */
export interface Budget {
  /** Steps that are left. */
  left: number;
}

/**
 * Steps for a text: what a sensible tokenizer needs, many times over.
 * @param length of the text, in UTF-16 units.
 */
export function budgetFor(length: number): Budget {
  return { left: 500_000 + 200 * length };
}

/** @param who what takes the steps, for the error. */
export function spend(budget: Budget, steps: number, who: string): void {
  budget.left -= steps;
  if (budget.left >= 0) return;
  throw new TokenizerError(
    `${who} of the tokenizer takes too many steps on this text: it tries the same characters again ` +
      "and again",
  );
}
