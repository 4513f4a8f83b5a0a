import { topTokens } from "../analysis/top-tokens.ts";
import { fail } from "../base/errors.ts";
import { range } from "../base/lists.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { BatchEncoding } from "../tokenizers/batch-encoding.ts";
import type { PreTrainedTokenizer } from "../tokenizers/tokenizer.ts";
import { logitsOf } from "../training/alignment/logits-of.ts";
import { dataOf } from "./tensor-data.ts";
import type { NextTokens, Texts } from "./tasks.ts";

/** Texts as a model reads them. */
export interface ReadTexts {
  readonly inputs: Pick<BatchEncoding, "inputIds"> & Partial<BatchEncoding>;
  /** Where the last token of each is. */
  readonly last: readonly number[];
}

/** @throws TsveneError for no text, and an empty one. */
export function readTexts(op: string, tokenizer: PreTrainedTokenizer, given: Texts): ReadTexts {
  const texts = [given].flat();
  if (texts.length === 0) fail(op, "expected at least one text");
  const lengths = texts.map((text, i) => {
    if (typeof text !== "string" || text === "") {
      fail(op, `text ${i} of ${texts.length} is empty; the model has nothing to read there`);
    }
    return tokenizer.encode(text).length;
  });
  const longest = Math.max(...lengths);
  const isPadded = lengths.some((length) => length < longest);
  const { inputIds, attentionMask } = tokenizer.tokenize(texts, { padding: isPadded });
  const inputs = isPadded ? { inputIds, attentionMask } : { inputIds };
  const isLeft = tokenizer.paddingSide === "left";
  return { inputs, last: lengths.map((length) => (isLeft ? longest : length) - 1) };
}

/** The logits of an output at the last token of each text, [texts, vocabulary]. */
export function lastLogits(op: string, output: unknown, { last }: ReadTexts): Tensor {
  return logitsOf(op, output, { labelPositions: last });
}

/** What is said after each text, from its logits. */
export async function nextTokens(
  logits: Tensor,
  tokenizer: PreTrainedTokenizer,
  count: number,
): Promise<NextTokens> {
  const rows = range(logits.size(0)).map((row) => [String(row), logits.select(0, row)] as const);
  const top = await topTokens(Object.fromEntries(rows), tokenizer, { count });
  return { logits: await dataOf(logits), top: rows.map(([row]) => top[row] ?? []) };
}
