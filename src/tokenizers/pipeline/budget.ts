import { TokenizerError } from "./tokenizer-error.ts";

/** Steps that working on one text may take yet. */
export interface Budget {
  left: number;
}

/** Steps for a text: what a sensible tokenizer needs, many times over. */
export function budgetFor(text: string): Budget {
  return { left: 2_000_000 + 200 * text.length };
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
