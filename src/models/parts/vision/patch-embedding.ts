import { normal } from "../../../nn/init.ts";
import { Conv2d } from "../../../nn/layers/convolution.ts";
import { initialized } from "../../../nn/without-init.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { ModelError } from "../../../nn/errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** Images and the patches that they are cut into. */
export interface PatchConfig {
  /** Channels of an image, such as 3 for red, green and blue. */
  readonly numChannels: number;
  /** Height and width of images. */
  readonly imageSize: number;
  /** Height and width of patches. */
  readonly patchSize: number;
  /** Width of the vectors that patches become. */
  readonly hiddenSize: number;
  /** Standard deviation of weights at the start. */
  readonly initializerRange: number;
}

/** A convolution that makes each patch a vector. */
export function patchConvolution(
  config: PatchConfig,
  { bias }: { readonly bias: boolean },
): Conv2d {
  const { numChannels, hiddenSize, patchSize, initializerRange: std } = config;
  const conv = new Conv2d(numChannels, hiddenSize, patchSize, { stride: patchSize, bias });
  conv.weight.set(initialized(conv.weight.shape, (shape) => normal(shape, { std })).value);
  conv.bias?.set(zeros([hiddenSize]));
  return conv;
}

/** How many patches an image has. */
export function patchCount({ imageSize, patchSize }: PatchConfig): number {
  return Math.floor(imageSize / patchSize) ** 2;
}

/** Patches that fit into images, or an error that names the family's settings. */
export function requirePatches(family: string, { imageSize, patchSize }: PatchConfig): void {
  if (patchSize <= imageSize) return;
  throw new ModelError(
    `${family}: patchSize (${patchSize}) must not be more than imageSize (${imageSize})`,
  );
}

/** [batch, width, rows, columns] -> [batch, patches, width] */
export function patchSequence(x: Tensor): Tensor {
  return x.flatten(2).transpose(1, 2);
}
