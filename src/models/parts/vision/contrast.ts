import { crossEntropy } from "../../../nn/functional/cross-entropy.ts";
import { arange } from "../../../tensor/functions/creation.ts";
import { fail } from "../../../nn/errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** How alike texts and images are. */
export interface Contrast {
  /** Scaled similarities, [images, texts]. */
  readonly logitsPerImage: Tensor;
  /** The same, [texts, images]. */
  readonly logitsPerText: Tensor;
  /** [texts, projectionDim], of length 1. */
  readonly textEmbeds: Tensor;
  /** [images, projectionDim], of length 1. */
  readonly imageEmbeds: Tensor;
  /** Of telling which text belongs to which image; given for `returnLoss`. */
  readonly loss?: Tensor;
}

/**
 * Compares all texts with all images.
 *
 * @param model what errors begin with.
 * @param texts [texts, projectionDim]
 * @param images [images, projectionDim]
 * @param options.logitScale logarithm of the factor of similarities.
 */
export function contrast(
  model: string,
  [texts, images]: readonly [Tensor, Tensor],
  { logitScale, returnLoss }: { readonly logitScale: Tensor; readonly returnLoss: boolean },
): Contrast {
  const [textEmbeds, imageEmbeds] = [ofLength1(texts), ofLength1(images)];
  const logitsPerText = textEmbeds.matmul(imageEmbeds.t()).mul(logitScale.exp());
  const loss = returnLoss ? { loss: pairLoss(model, logitsPerText) } : {};
  return { logitsPerImage: logitsPerText.t(), logitsPerText, textEmbeds, imageEmbeds, ...loss };
}

function ofLength1(x: Tensor): Tensor {
  return x.div(x.square().sum({ dim: -1, keepdim: true }).sqrt());
}

/** Mean loss of telling the image of each text, and the text of each image. */
function pairLoss(model: string, similarities: Tensor): Tensor {
  const [texts = 0, images = 0] = similarities.shape;
  if (texts !== images) {
    fail(model, `returnLoss needs a text for each image, got ${texts} and ${images}`);
  }
  const own = arange(texts);
  return crossEntropy(similarities, own).add(crossEntropy(similarities.t(), own)).mul(0.5);
}
