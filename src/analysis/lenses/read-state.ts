import { logSoftmax } from "../../nn/functional/activations.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { divergence } from "../metrics/contrast-metric.ts";

/** What is read off the logits of one state. */
export interface ReadState {
  /** The likeliest tokens, [positions, k]. */
  readonly ids: Tensor;
  /** Their log probabilities, [positions, k]. */
  readonly logProbabilities: Tensor;
  /** Of the target, [positions], as all that follows. */
  readonly targetLogit: Tensor;
  readonly targetLogProbability: Tensor;
  readonly targetRank: Tensor;
  readonly entropy: Tensor;
  /** From what the model says in the end. */
  readonly kl: Tensor;
}

/**
 * What is kept of logits, so that no more than one state's are ever there.
 *
 * @param logits - [1, positions, vocabulary].
 * @param final - Log probabilities of what the model says, of that shape.
 * @param targets - An id for each position, int64 [positions].
 */
export function readState(logits: Tensor, final: Tensor, targets: Tensor, k: number): ReadState {
  const own = logits.squeeze(0);
  const logP = logSoftmax(own, -1);
  const { values, indices } = logP.topk(k);
  const target = targets.unsqueeze(-1);
  const targetLogit = own.gather(-1, target);
  return {
    ids: indices,
    logProbabilities: values,
    targetLogit: targetLogit.squeeze(-1),
    targetLogProbability: logP.gather(-1, target).squeeze(-1),
    targetRank: own.gt(targetLogit).to("float32").sum({ dim: -1 }).add(1),
    entropy: logP.exp().mul(logP).sum({ dim: -1 }).neg(),
    kl: divergence(final.squeeze(0), logP),
  };
}
