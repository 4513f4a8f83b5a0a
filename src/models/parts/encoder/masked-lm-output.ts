import { crossEntropy } from "../../../nn/functional/cross-entropy.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { MaskedLMOutput } from "./outputs.ts";

/** The output of a model that fills in tokens, with the loss of those that have labels. */
export function maskedLMOutput(
  logits: Tensor,
  labels: Tensor | undefined,
  others: Pick<MaskedLMOutput, "hiddenStates" | "attentions">,
): MaskedLMOutput {
  if (labels === undefined) return { logits, ...others };
  return { logits, loss: crossEntropy(logits.flatten(0, 1), labels.flatten()), ...others };
}
