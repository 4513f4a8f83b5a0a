import { wrongWord } from "../base/known-options.ts";
import type { RankedTensor } from "../tensor/ranked.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Side } from "./tokenizer-config.ts";
import { TokenizerError } from "./pipeline/tokenizer-error.ts";

/** Token ids of several texts, as models take them. */
export interface BatchEncoding {
  /** int64 [batch, sequence]. */
  readonly inputIds: RankedTensor<2>;
  /** int64 [batch, sequence]: 1 for a token of the text, 0 for padding. */
  readonly attentionMask: RankedTensor<2>;
}

/** @throws TokenizerError for a word that is given and none of those expected. */
export function requireWord(option: string, value: unknown, expected: readonly unknown[]): void {
  const wrong = value === undefined ? undefined : wrongWord(option, value, expected);
  if (wrong !== undefined) throw new TokenizerError(`tokenize: ${wrong}`);
}

/** How sequences of different lengths are brought to one. */
export interface PaddingPlan {
  /** Length of every row; undefined when the sequences must have one length already. */
  readonly length: number | undefined;
  readonly side: Side;
  readonly padTokenId: number;
}

function lengthsOf(sequences: readonly (readonly number[])[]): string {
  const lengths = sequences.slice(0, 8).map((ids) => ids.length);
  return lengths.join(", ") + (sequences.length > lengths.length ? ", ..." : "");
}

/** The one length of all rows, or an error that says how to get there. */
function rowLength(sequences: readonly (readonly number[])[], padding: PaddingPlan): number {
  const lengths = sequences.map((ids) => ids.length);
  const longest = Math.max(...lengths);
  if (padding.length === undefined) {
    if (lengths.every((length) => length === longest)) return longest;
    throw new TokenizerError(
      `tokenize: the texts have ${lengthsOf(sequences)} tokens, and a tensor needs rows of one ` +
        "length: pass { padding: true }, or tokenize them one by one",
    );
  }
  if (longest <= padding.length) return padding.length;
  throw new TokenizerError(
    `tokenize: text ${lengths.indexOf(longest)} has ${longest} tokens, more than maxLength ` +
      `${padding.length}: pass { truncation: true } or a larger maxLength`,
  );
}

/** Rows of token ids as tensors, padded as planned. */
export function toBatch(
  sequences: readonly (readonly number[])[],
  padding: PaddingPlan,
): BatchEncoding {
  const length = rowLength(sequences, padding);
  const shape = [sequences.length, length] as const;
  const ids = new BigInt64Array(sequences.length * length).fill(BigInt(padding.padTokenId));
  const mask = new BigInt64Array(ids.length);
  sequences.forEach((sequence, row) => {
    const begin = row * length + (padding.side === "left" ? length - sequence.length : 0);
    ids.set(sequence.map(BigInt), begin);
    mask.fill(1n, begin, begin + sequence.length);
  });
  return {
    inputIds: Tensor.fromData(ids, shape, "int64"),
    attentionMask: Tensor.fromData(mask, shape, "int64"),
  };
}
