import { constant, where } from "../../../tensor/functions/arithmetic.ts";
import { fail } from "../../../nn/errors.ts";
import { show } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** The most negative float32: it hides a score but keeps a row that hides all of them finite. */
const HIDDEN = -3.4028234663852886e38;

/** Added to attention scores, [batch, 1, 1, keys]: 0 for real tokens. None for no mask. */
export function paddingMask(attentionMask: Tensor | undefined, keys: number): Tensor {
  if (attentionMask === undefined) return constant(0);
  const { shape, ndim } = attentionMask;
  if (ndim !== 2 || shape[1] !== keys) {
    fail("attentionMask", `expected [batch, ${keys}], got ${show(shape)}`);
  }
  const real = attentionMask.to("bool").reshape([attentionMask.size(0), 1, 1, keys]);
  return where(real, constant(0), constant(HIDDEN));
}
