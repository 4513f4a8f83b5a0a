import { range } from "../../base/lists.ts";
import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { tokensRead } from "../../tokenizers/next-token.ts";
import type { PreTrainedTokenizer } from "../../tokenizers/tokenizer.ts";
import type { NamedAxis } from "../results/named-axis.ts";

/** What is needed of a tokenizer where one text is read. */
export type TextTokenizer = Pick<PreTrainedTokenizer, "encode" | "decode">;

/** One text, or what a model's `forward` takes of it: tensors of one row. */
export type TextInputs = string | object;

/** One text as a model reads it. */
export interface OneText {
  /** What the model's `forward` takes. */
  readonly inputs: object;
  /** The ids at its positions; undefined where the inputs are no ids. */
  readonly ids: readonly number[] | undefined;
  /** What the tokens read; their ids where there is no tokenizer. */
  readonly tokens: readonly string[] | undefined;
}

/**
 * Reads a text, or the ids in a model's inputs.
 * @throws TsveneError for inputs of several rows, and a text without a tokenizer or without tokens.
 */
export async function oneText(
  op: string,
  given: unknown,
  tokenizer: TextTokenizer | undefined,
): Promise<OneText> {
  if (typeof given === "string") return encoded(op, given, tokenizer);
  if (typeof given !== "object" || given === null) {
    return fail(op, `second a text or what the model's forward takes, got ${describeValue(given)}`);
  }
  const { decoderInputIds, inputIds } = given as Readonly<Record<string, unknown>>;
  const tensorOfIds = decoderInputIds ?? inputIds;
  if (!(tensorOfIds instanceof Tensor)) return { inputs: given, ids: undefined, tokens: undefined };
  const [rows = 0] = tensorOfIds.shape;
  if (tensorOfIds.ndim !== 2 || rows !== 1) {
    fail(
      op,
      `one text is read at a time, ids [1, positions], got [${tensorOfIds.shape.join(", ")}]; ` +
        "call it for each row: inputIds.narrow(0, row, 1)",
    );
  }
  const ids = (await tensorOfIds.toArray(2)).flat().map(Number);
  return { inputs: given, ids, tokens: textsOf(ids, tokenizer) };
}

function encoded(op: string, text: string, tokenizer: TextTokenizer | undefined): OneText {
  if (typeof tokenizer?.encode !== "function") {
    return fail(op, "a text needs a tokenizer: pass { tokenizer }, or ids as { inputIds }");
  }
  const ids = tokenizer.encode(text);
  if (ids.length === 0) fail(op, "the text is empty");
  const inputs = { inputIds: tensor([ids], { dtype: "int64" }) };
  return { inputs, ids, tokens: textsOf(ids, tokenizer) };
}

function textsOf(ids: readonly number[], tokenizer: TextTokenizer | undefined): readonly string[] {
  return tokenizer === undefined ? ids.map(String) : tokensRead(tokenizer, ids);
}

/** An axis of positions, which are called by the tokens there. */
export function positionAxis(
  name: string,
  length: number,
  tokens: readonly string[] | undefined,
): NamedAxis {
  const values = range(length);
  return { name, values, ...(tokens?.length === length && { labels: tokens }) };
}
