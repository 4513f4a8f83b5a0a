import { where } from "../../../tensor/functions/arithmetic.ts";
import { fail } from "../../../nn/errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/**
 * Puts the vectors of patches, in their order, where the ids say that there are images.
 *
 * @param embedded - [batch, sequence, width]
 * @param patches - [images, patches, width]
 * @throws ModelError where the ids are at hand and have places for more or fewer patches.
 */
export function fillImages(
  model: string,
  { inputIds, imageTokenId }: { readonly inputIds: Tensor; readonly imageTokenId: number },
  embedded: Tensor,
  patches: Tensor,
): Tensor {
  const [images = 0, each = 0, width = 0] = patches.shape;
  const ids = inputIds.values;
  if (ids !== undefined) {
    const places = Array.from(ids, Number).filter((id) => id === imageTokenId).length;
    if (places !== images * each) {
      fail(
        model,
        `the text has ${places} image tokens (${imageTokenId}), but ${images} images make ` +
          `${images * each} patches; write ${each} image tokens for each image`,
      );
    }
  }
  const isImage = inputIds.eq(imageTokenId);
  const before = isImage.to("int64").flatten().cumsum(0).sub(1);
  const own = before.clamp({ min: 0, max: images * each - 1 });
  const filled = patches
    .reshape([images * each, width])
    .indexSelect(0, own)
    .reshape(embedded.shape);
  return where(isImage.unsqueeze(-1), filled, embedded);
}
