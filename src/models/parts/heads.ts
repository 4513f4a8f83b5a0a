import { arange } from "../../tensor/functions/creation.ts";
import { ModelError } from "../../nn/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SequenceClassifierOutput } from "./outputs.ts";
import { crossEntropy } from "../../nn/functional/cross-entropy.ts";
import { binaryCrossEntropyWithLogits, mseLoss } from "../../nn/functional/losses.ts";

/** Cross-entropy of each token given those before it; labels are the ids themselves. */
export function nextTokenLoss(
  logits: Tensor,
  labels: Tensor,
  { labelSmoothing = 0 }: { readonly labelSmoothing?: number } = {},
): Tensor {
  const n = logits.size(1);
  const predictions = logits.slice(1, 0, n - 1).flatten(0, 1);
  return crossEntropy(predictions, labels.slice(1, 1, n).flatten(), { labelSmoothing });
}

/** Names of what labels can mean. */
export const PROBLEM_TYPES = [
  "regression",
  "single_label_classification",
  "multi_label_classification",
] as const;

/** What a classifier's labels mean, with Hugging Face's names. */
export type ProblemType = (typeof PROBLEM_TYPES)[number];

/**
 * The loss of a classifier's logits [..., labels]. Where nothing says what the labels mean, one
 * label is a number to regress, and whole numbers are classes, as in Hugging Face.
 */
export function classificationLoss(
  logits: Tensor,
  labels: Tensor,
  problemType?: ProblemType | null,
): Tensor {
  const classes = logits.size(-1);
  const problem = problemType ?? problemOf(classes, labels);
  if (problem === "multi_label_classification") {
    return binaryCrossEntropyWithLogits(logits, labels.to(logits.dtype));
  }
  if (problem === "single_label_classification") {
    return crossEntropy(logits.reshape([-1, classes]), labels.flatten());
  }
  return mseLoss(logits, labels.to(logits.dtype).reshape(logits.shape));
}

function problemOf(classes: number, { dtype }: Tensor): ProblemType {
  if (classes === 1) return "regression";
  const whole = dtype === "int64" || dtype === "int32";
  return whole ? "single_label_classification" : "multi_label_classification";
}

/** Outputs of a classifier, from its logits and from those of the model below it. */
export function classified(
  logits: Tensor,
  labels: Tensor | undefined,
  { problemType }: { readonly problemType?: ProblemType | null },
  { hiddenStates, attentions }: Pick<SequenceClassifierOutput, "hiddenStates" | "attentions">,
): SequenceClassifierOutput {
  const loss =
    labels === undefined ? {} : { loss: classificationLoss(logits, labels, problemType) };
  return { logits, ...loss, hiddenStates, attentions };
}

/** Hidden states [batch, width] of each row's last position where `mask` [batch, sequence] is true. */
export function lastOf(hidden: Tensor, mask: Tensor): Tensor {
  const [batch = 0, length = 0] = mask.shape;
  const last = mask.to("int64").mul(arange(length)).argmax(-1);
  return hidden.index([arange(batch), last]);
}

/**
 * Hidden states [batch, width] of the last token that is padding neither by its id nor by the mask.
 *
 * @throws ModelError where nothing says where the texts of a batch end.
 */
export function lastTokens(
  hidden: Tensor,
  { inputIds, attentionMask }: { readonly inputIds?: Tensor; readonly attentionMask?: Tensor },
  padTokenId: number | null | undefined,
): Tensor {
  const batch = hidden.size(0);
  const byId =
    inputIds !== undefined && typeof padTokenId === "number" ? inputIds.ne(padTokenId) : undefined;
  const byMask = attentionMask?.slice(1, -hidden.size(1)).to("bool");
  const real = byId && byMask ? byId.logicalAnd(byMask) : (byId ?? byMask);
  if (real !== undefined) return lastOf(hidden, real);
  if (batch === 1) return hidden.select(1, -1);
  throw new ModelError(
    `sequence classification: a batch of ${batch} needs config.padTokenId or an attentionMask, ` +
      `to tell where each sequence ends`,
  );
}
