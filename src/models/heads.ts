import { arange } from "../tensor/creation.ts";
import { TensorError } from "../tensor/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { crossEntropy } from "../nn/functional/cross-entropy.ts";
import { mseLoss } from "../nn/functional/losses.ts";

/** Cross-entropy of each token given those before it; labels are the ids themselves. */
export function nextTokenLoss(logits: Tensor, labels: Tensor): Tensor {
  const n = logits.size(1);
  const predictions = logits.slice(1, 0, n - 1).flatten(0, 1);
  return crossEntropy(predictions, labels.slice(1, 1, n).flatten());
}

/** The loss of a classifier's logits [batch, labels]: regression for one label. */
export function classificationLoss(logits: Tensor, labels: Tensor): Tensor {
  if (logits.size(-1) === 1) return mseLoss(logits.squeeze(-1), labels.to(logits.dtype).flatten());
  return crossEntropy(logits, labels.flatten());
}

/**
 * Hidden states [batch, width] of the last token that is not padding (of the very last one where
 * no padding token is set, which only a batch of 1 allows).
 */
export function lastTokens(
  hidden: Tensor,
  inputIds: Tensor | undefined,
  padTokenId: number | null | undefined,
): Tensor {
  const batch = hidden.size(0);
  if (padTokenId === null || padTokenId === undefined) {
    if (batch === 1) return hidden.select(1, -1);
    throw new TensorError(
      `sequence classification: a batch of ${batch} needs config.padTokenId, ` +
        `to tell where each sequence ends`,
    );
  }
  if (inputIds === undefined) return hidden.select(1, -1);
  const real = inputIds.eq(padTokenId).logicalNot().to("int64");
  const last = real.mul(arange(inputIds.size(1))).argmax(-1);
  return hidden.index([arange(batch), last]);
}
