import { TokenizerError } from "./tokenizer-error.ts";

/** Characters that a text may grow to, whatever its length. */
const FREE = 1 << 16;
/** The longest form of one character in NFKC has 18. */
const FACTOR = 20;

/** @throws TokenizerError when the parts of a tokenizer blow a text up. */
export function checkGrowth(before: number, after: number, where: string): void {
  if (after <= FREE + FACTOR * before) return;
  throw new TokenizerError(
    `${where} makes a text of ${before} characters ${after} long; at most ${FREE} and ${FACTOR} times ` +
      "the text are expected",
  );
}

/** Characters that tokens may have on average, besides what is free. */
const TOKEN_LENGTH = 256;

/** @throws TokenizerError when tokens are so long that their text would take all memory. */
export function checkTextOfTokens(tokens: readonly string[]): void {
  const length = tokens.reduce((sum, token) => sum + token.length, 0);
  if (length <= FREE + TOKEN_LENGTH * tokens.length) return;
  throw new TokenizerError(
    `decode: ${tokens.length} tokens have ${length} characters; at most ${TOKEN_LENGTH} for each ` +
      `and ${FREE} besides are expected`,
  );
}
