import { isCount, shown } from "./pipeline/fields.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";
import type { TokenIds } from "./tokenizer-options.ts";

/** @throws TokenizerError for what is no row of ids. */
export function checkIds(method: string, ids: TokenIds): number[] {
  if (typeof ids === "object" && !("length" in ids)) {
    throw new TokenizerError(
      `${method}: expected a row of ids; of a tensor, await toArray() first`,
    );
  }
  const row = typeof ids === "object" ? Array.from(ids, Number) : [Number(ids)];
  const wrong = row.findIndex((id) => !isCount(id));
  if (wrong < 0) return row;
  throw new TokenizerError(
    `${method}: ${row[wrong]} is not the id of a token; a whole number of at least 0 was expected`,
  );
}

/** Half of a character that takes two units. */
const HALF = /\p{Surrogate}/u;

/** @throws TokenizerError for what is no text, or cut within a character. */
export function checkText(method: string, text: unknown): string {
  if (typeof text !== "string") {
    throw new TokenizerError(`${method}: got ${shown(text)}; a string was expected`);
  }
  const half = text.search(HALF);
  if (half < 0) return text;
  throw new TokenizerError(
    `${method}: the text has half of a character at ${half} (a surrogate without its other half), ` +
      "as slice() leaves where it cuts an emoji; cut between characters, or take text.toWellFormed()",
  );
}
