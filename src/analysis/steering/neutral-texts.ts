import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { range } from "../../base/lists.ts";
import { logSoftmax } from "../../nn/functional/activations.ts";
import type { Module } from "../../nn/module.ts";
import { ones } from "../../tensor/functions/creation.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { PromptTokenizer } from "../../training/data/prompt-options.ts";
import { inputRows } from "../data/input-rows.ts";
import { textData } from "../data/text-data.ts";
import { divergence } from "../metrics/contrast-metric.ts";

/** Texts as a model's `forward` takes them. */
export interface TextTensors {
  /** Token ids, [texts, positions]. */
  readonly inputIds: Tensor;
  /** 1 for tokens and 0 for padding, [texts, positions]. @default no padding */
  readonly attentionMask?: Tensor;
}

/** Texts of which some are run at a time. */
export interface NeutralTexts {
  readonly length: number;
  /** The texts with these numbers, which may come several times. */
  readonly batch: (indices: readonly number[]) => TextTensors;
}

/** What became of texts, each number by row. */
export interface SideEffect {
  /** Divergence of the edited from the plain distribution, the mean over the text's tokens, in nats. */
  readonly kl: Tensor;
  /** Sum of the negative log probabilities of the text's tokens but the first. */
  readonly loss: Tensor;
  /** How many these are. */
  readonly tokens: Tensor;
}

/** @throws TsveneError for what are no texts, texts without a tokenizer, and texts of one token. */
export function neutralTexts(
  op: string,
  given: readonly string[] | TextTensors,
  tokenizer: PromptTokenizer | undefined,
  what = "neutral texts",
): NeutralTexts {
  const { inputIds } = (given ?? {}) as Partial<TextTensors>;
  if (inputIds instanceof Tensor && inputIds.ndim === 2) {
    return requireLong(op, what, inputIds.size(0), (indices) =>
      inputRows(given as TextTensors, indices),
    );
  }
  if (!Array.isArray(given)) {
    fail(
      op,
      `${what} must be a list or { inputIds: [texts, positions] }, got ${describeValue(given)}`,
    );
  }
  if (tokenizer === undefined) fail(op, `${what} need a tokenizer: pass { tokenizer }`);
  const data = textData(op, tokenizer, given as readonly string[]);
  return requireLong(op, what, data.length, (indices) => data.batch(indices).clean);
}

function requireLong(
  op: string,
  what: string,
  length: number,
  batch: NeutralTexts["batch"],
): NeutralTexts {
  const { inputIds } = batch(range(length));
  if (inputIds.size(1) < 2) {
    fail(op, `${what} of one token say nothing of what comes next; give longer ones`);
  }
  return { length, batch };
}

/** 1 for tokens and 0 for padding, [texts, positions]. */
export function isTokenIn({ inputIds, attentionMask }: TextTensors): Tensor {
  return attentionMask?.to("float32") ?? ones(inputIds.shape);
}

/**
 * What a model says at every position, [texts, positions, vocabulary].
 * @param why - What it is needed for, for errors.
 * @throws TsveneError for an output without it.
 */
export function logitsEverywhere(
  op: string,
  { constructor: { name } }: Module,
  output: unknown,
  why: string,
): Tensor {
  const logits = (output as { readonly logits?: unknown } | undefined)?.logits ?? output;
  if (logits instanceof Tensor && logits.ndim === 3) return logits;
  return fail(op, `${name} gives no logits at every position, which ${why}`);
}

/**
 * Compares what a model says of texts with and without edits.
 *
 * @param edited - Logits, [texts, positions, vocabulary].
 * @param plain - Of that shape.
 */
export function sideEffect(inputs: TextTensors, edited: Tensor, plain: Tensor): SideEffect {
  const { inputIds } = inputs;
  const logP = logSoftmax(edited, -1);
  const isToken = isTokenIn(inputs);
  const next = inputIds.size(1) - 1;
  const isNext = isToken.narrow(1, 0, next).mul(isToken.narrow(1, 1, next));
  const said = logP.narrow(1, 0, next).gather(-1, inputIds.narrow(1, 1, next).unsqueeze(-1));
  const apart = divergence(logSoftmax(plain, -1), logP);
  return {
    kl: apart
      .mul(isToken)
      .sum({ dim: -1 })
      .div(isToken.sum({ dim: -1 })),
    loss: said.squeeze(-1).mul(isNext).sum({ dim: -1 }).neg(),
    tokens: isNext.sum({ dim: -1 }),
  };
}
