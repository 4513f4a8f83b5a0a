import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../nn/errors.ts";
import { sameShape, show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { GenerateInputs } from "./options.ts";

/** Prompts in one form: rows of equal length, padded on the left. */
export interface Prompt {
  readonly rows: readonly (readonly number[])[];
  readonly length: number;
  /** How many tokens of each row are padding; undefined when none is, in any row. */
  readonly mask: readonly (readonly boolean[])[] | undefined;
}

/** What a prompt is checked against. */
export interface PromptLimits {
  readonly vocabSize: number | undefined;
  readonly padTokenId: number | undefined;
  readonly eosTokenIds: ReadonlySet<number>;
}

/** Rows of a tensor [batch, length]. */
export async function readRows(name: string, t: Tensor): Promise<number[][]> {
  if (!(t instanceof Tensor)) fail("generate", `${name} must be a tensor, got ${describeValue(t)}`);
  if (t.ndim !== 2) fail("generate", `${name} must be [batch, sequence], got ${show(t.shape)}`);
  const [batch = 0, length = 0] = t.shape;
  const values = Array.from(await t.data(), Number);
  return Array.from({ length: batch }, (_, i) => values.slice(i * length, (i + 1) * length));
}

function checkIds({ shape, dtype }: Tensor, rows: readonly number[][], limits: PromptLimits): void {
  const { vocabSize = Infinity } = limits;
  if (dtype !== "int64" && dtype !== "int32") {
    fail("generate", `inputIds must be int64, got ${dtype}; use to("int64")`);
  }
  if (shape.includes(0)) {
    fail("generate", `the prompt is empty: inputIds is ${show(shape)}; give at least one token`);
  }
  rows.forEach((row, i) => {
    const at = row.findIndex((id) => id < 0 || id >= vocabSize);
    if (at < 0) return;
    fail(
      "generate",
      `inputIds[${i}][${at}] is ${row[at]}, which is not in the vocabulary of ${vocabSize}; was the ` +
        "text tokenized with this model's tokenizer?",
    );
  });
}

function checkMask(mask: readonly (readonly number[])[]): boolean[][] {
  return mask.map((row, i) => {
    if (row.some((v) => v !== 0 && v !== 1)) {
      fail(
        "generate",
        `attentionMask[${i}] must hold 0 and 1, got ${[...new Set(row)].join(", ")}`,
      );
    }
    if (!row.includes(1)) fail("generate", `the prompt in row ${i} is empty: all of it is padding`);
    if (row.at(-1) === 0) {
      fail(
        "generate",
        `the prompt in row ${i} is padded on the right, so new tokens would follow padding; pad on ` +
          'the left: tokenizer.tokenize(texts, { padding: true, paddingSide: "left" })',
      );
    }
    return row.map((v) => v === 1);
  });
}

/** As in Hugging Face: a padding token that can be nothing else marks padding. */
function inferMask(
  rows: readonly number[][],
  { padTokenId, eosTokenIds }: PromptLimits,
): number[][] | undefined {
  if (padTokenId === undefined || eosTokenIds.has(padTokenId)) return undefined;
  return rows.map((row) => row.map((id) => (id === padTokenId ? 0 : 1)));
}

/** @throws ModelError for what has no `inputIds`, such as a text or a bare tensor. */
export function requirePrompt(inputs: unknown): GenerateInputs {
  if (typeof inputs === "object" && inputs !== null && "inputIds" in inputs) {
    return inputs as GenerateInputs;
  }
  const got = describeValue(inputs);
  return fail("generate", `expected { inputIds }, as tokenizer.tokenize(text) gives; got ${got}`);
}

/**
 * Reads and checks prompts.
 * @throws ModelError for an empty prompt, an id outside the vocabulary, padding on the right, or a
 * mask of another shape.
 */
export async function readPrompt(
  inputs: GenerateInputs,
  limits: PromptLimits,
  times: number,
): Promise<Prompt> {
  const { inputIds, attentionMask } = requirePrompt(inputs);
  const rows = await readRows("inputIds", inputIds);
  checkIds(inputIds, rows, limits);
  if (attentionMask !== undefined && !sameShape(attentionMask.shape, inputIds.shape)) {
    fail(
      "generate",
      `attentionMask ${show(attentionMask.shape)} must have the shape of inputIds, ` +
        show(inputIds.shape),
    );
  }
  const given = attentionMask && (await readRows("attentionMask", attentionMask));
  const found = given ?? inferMask(rows, limits);
  const mask = found && checkMask(found);
  const padded = mask?.some((row) => row.includes(false)) === true;
  return {
    rows: rows.flatMap((row) => Array.from({ length: times }, () => row)),
    length: inputIds.size(1),
    mask: padded ? mask.flatMap((row) => Array.from({ length: times }, () => row)) : undefined,
  };
}
