import { TokenizerError } from "./tokenizer-error.ts";

/** Characters that a text may grow to, whatever its length. */
const FREE = 1 << 20;

/** @throws TokenizerError when the parts of a tokenizer blow a text up. */
export function checkGrowth(before: number, after: number, where: string): void {
  if (after <= FREE + 8 * before) return;
  throw new TokenizerError(
    `${where} makes a text of ${before} characters ${after} long; at most ${FREE} and 8 times the ` +
      "text are expected",
  );
}
