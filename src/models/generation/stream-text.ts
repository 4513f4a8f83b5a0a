import type { TokenIds } from "../../tokenizers/tokenizer-options.ts";
import type { GenerateStep } from "./options.ts";

/** What turns ids into text, as a tokenizer does. */
export interface TextDecoder {
  /** The text of these ids. */
  decode(
    ids: TokenIds,
    options: { readonly cleanUpTokenizationSpaces: false; readonly skipSpecialTokens: true },
  ): string;
}

/** What has been written so far. */
export interface WrittenText {
  /** All new text, without special tokens; a character of which a part is missing is not in it yet. */
  readonly text: string;
  /** All new tokens. */
  readonly tokens: readonly number[];
}

/**
 * The text that a stream of one row writes, after each of its tokens.
 *
 * @param prompt - Ids that the text goes on from: some tokenizers write the first token of a text
 * otherwise than one within it.
 * @param steps - What `stream` of a model gives.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, streamText } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const text = "The capital of Spain is";
 * const steps = model.stream(tokenizer.tokenize(text), { maxNewTokens: 3 });
 * for await (const { text: more } of streamText(tokenizer, tokenizer.encode(text), steps)) {
 *   console.log(more);
 * }
 * ```
 */
export async function* streamText(
  tokenizer: TextDecoder,
  prompt: readonly number[],
  steps: AsyncIterable<Pick<GenerateStep, "tokens" | "ended">>,
): AsyncGenerator<WrittenText> {
  const options = { cleanUpTokenizationSpaces: false, skipSpecialTokens: true } as const;
  const before = tokenizer.decode(prompt, options);
  const tokens: number[] = [];
  for await (const {
    tokens: [token = 0],
    ended,
  } of steps) {
    tokens.push(token);
    const whole = tokenizer.decode([...prompt, ...tokens], options);
    const text = whole.startsWith(before)
      ? whole.slice(before.length)
      : tokenizer.decode(tokens, options);
    yield { text: ended[0] === true ? text : text.replace(/\ufffd+$/u, ""), tokens: [...tokens] };
  }
}
