import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import type { PromptInputs, PromptTokenizer } from "../../training/data/prompt-options.ts";
import type { ContrastData } from "./contrast-data.ts";
import { contrastPairs } from "./contrast-pairs.ts";

/** The name of all positions that read a text. */
export const MEAN = "mean";

/** @throws TsveneError for what is no tokenizer. */
export function requireTokenizer(op: string, tokenizer: unknown): void {
  const { encode } = (tokenizer ?? {}) as Partial<PromptTokenizer>;
  if (typeof encode === "function") return;
  fail(op, `the option tokenizer is what texts are read with, got ${describeValue(tokenizer)}`);
}

/** Texts as inputs with their own positions; `"mean"` is all that read a text. @throws TsveneError for what are no texts. */
export function textData(
  op: string,
  tokenizer: PromptTokenizer,
  texts: readonly string[],
): ContrastData<PromptInputs> {
  const isTexts = Array.isArray(texts) && texts.length > 0;
  const wrong = isTexts ? texts.find((text: unknown) => typeof text !== "string") : texts;
  if (!isTexts || wrong !== undefined) fail(op, `a list of texts is wanted, got ${shown(wrong)}`);
  return contrastPairs(
    tokenizer,
    texts.map((clean) => ({ clean, right: 0 })),
    { positions: { [MEAN]: (text) => text } },
  );
}
