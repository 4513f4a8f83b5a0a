import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import type { PromptInputs, PromptTokenizer } from "../../training/data/prompt-options.ts";
import type { ContrastData } from "./contrast-data.ts";
import { contrastPairs } from "./contrast-pairs.ts";

/** Texts as inputs with their own positions. @throws TsveneError for what are no texts. */
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
  );
}
