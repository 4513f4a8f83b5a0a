import type { Tensor } from "../../tensor/tensor.ts";
import { classificationLoss } from "../heads.ts";
import type { ImageClassifierOutput, ImageOutput } from "./outputs.ts";

/** Outputs of a classifier of images, from those of the model below it. */
export function imageClassifierOutput(
  logits: Tensor,
  labels: Tensor | undefined,
  { hiddenStates, attentions }: ImageOutput,
): ImageClassifierOutput {
  const loss = labels === undefined ? {} : { loss: classificationLoss(logits, labels) };
  return { logits, ...loss, hiddenStates, attentions };
}
