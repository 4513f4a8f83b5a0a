import { wrongOptions } from "../base/known-options.ts";
import { describeValue, shown } from "../base/describe-value.ts";
import { isCount } from "./pipeline/fields.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";
import type { TokenIds } from "./tokenizer-options.ts";

/** @throws TokenizerError for what is no row of ids. */
export function checkIds(method: string, ids: TokenIds): number[] {
  const isRow = typeof ids === "object" && ids !== null && "length" in ids;
  if (!isRow && typeof ids !== "number" && typeof ids !== "bigint") {
    throw new TokenizerError(`${method}: ${unreadable(ids)}`);
  }
  if (Array.isArray(ids) && Array.isArray(ids[0])) {
    throw new TokenizerError(`${method}: got a list of rows; batchDecode takes those`);
  }
  const row = typeof ids === "object" ? Array.from(ids, Number) : [Number(ids)];
  const wrong = row.findIndex((id) => !isCount(id));
  if (wrong < 0) return row;
  throw new TokenizerError(
    `${method}: ${row[wrong]} is not the id of a token; a whole number of at least 0 was expected`,
  );
}

/** What is wrong with what is no ids at all, and what to write. */
export function unreadable(ids: unknown): string {
  const isOutput = typeof ids === "object" && ids !== null && "sequences" in ids;
  const write = isOutput ? "; of what generate gives, pass its sequences to batchDecode" : "";
  return `expected token ids, in a list or a tensor, got ${describeValue(ids)}${write}`;
}

/** @throws TokenizerError for options that are misspelt, or under Python's names. */
export function requireOptions(method: string, options: unknown, known: object): void {
  const wrong = wrongOptions(options, known);
  if (wrong !== undefined) throw new TokenizerError(`${method}: ${wrong}`);
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
