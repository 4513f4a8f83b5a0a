import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { nextToken } from "../../tokenizers/next-token.ts";
import type { TextInputs, TextTokenizer } from "../data/one-text.ts";

/** What is asked for, and where. */
export interface WantedToken {
  /** A text of one token, or an id. */
  readonly answer: unknown;
  /** What it is called in messages. */
  readonly name: string;
  /** What it comes after, where that is a text. */
  readonly given: TextInputs;
  readonly tokenizer?: TextTokenizer | undefined;
  /** Ids are below this. */
  readonly vocabulary: number;
}

/** The id of an answer. @throws TsveneError for a text of several tokens, and an id that is none. */
export function tokenId(
  op: string,
  { answer, name, given, tokenizer, vocabulary }: WantedToken,
): number {
  if (typeof answer === "string") {
    if (tokenizer === undefined) return fail(op, `${name} is a text, which needs a tokenizer`);
    const prompt = typeof given === "string" ? given : "";
    return nextToken(op, tokenizer, { prompt, name, text: answer });
  }
  const isId = Number.isInteger(answer) && (answer as number) >= 0;
  if (isId && (answer as number) < vocabulary) return answer as number;
  return fail(op, `${name} must be a text or an id below ${vocabulary}, got ${shown(answer)}`);
}
