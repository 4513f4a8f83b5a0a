import { fail } from "../base/errors.ts";
import type { EncodeOptions } from "./tokenizer-options.ts";
import type { PreTrainedTokenizer } from "./tokenizer.ts";

/**
 * The one token that a text goes on with.
 *
 * @param op - Whoever asks, for messages.
 * @param name - What the continuation is called in messages.
 * @param text - What comes next, with the space before it if it has one.
 * @throws TsveneError for what is more than one token there.
 */
export function nextToken(
  op: string,
  tokenizer: Pick<PreTrainedTokenizer, "encode" | "decode">,
  { prompt, name, text }: { readonly prompt: string; readonly name: string; readonly text: string },
  options: EncodeOptions = {},
): number {
  const before = tokenizer.encode(prompt, options);
  const after = tokenizer.encode(prompt + text, options);
  const added = after.slice(before.length);
  const [token] = added;
  const goesOn = before.every((id, i) => after[i] === id);
  if (token !== undefined && goesOn && added.length === 1) return token;
  const hint = /^\s/.test(text)
    ? ""
    : `; most words have a space before them: ${JSON.stringify(` ${text}`)}`;
  const found = tokensRead(tokenizer, added).map((read) => JSON.stringify(read));
  const what = goesOn
    ? `is ${added.length} tokens (${found.join(" ")})`
    : "becomes one with the prompt's end";
  return fail(op, `${name} ${JSON.stringify(text)} ${what}; one token was expected${hint}`);
}

/** What each token reads. */
export function tokensRead(
  tokenizer: Pick<PreTrainedTokenizer, "decode">,
  ids: readonly number[],
): string[] {
  return ids.map((id) => tokenizer.decode([id], { cleanUpTokenizationSpaces: false }));
}
