import { where } from "../../../tensor/functions/arithmetic.ts";
import { full } from "../../../tensor/functions/creation.ts";
import { fail } from "../../../nn/errors.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** Tokens that a configuration names. */
interface SpecialTokens {
  readonly decoderStartTokenId?: number | null;
  /** Id of the padding token. */
  readonly padTokenId?: number | null;
}

/** What a decoder reads to give labels [batch, target]: the start token, then all but the last. */
export function shiftRight(
  model: string,
  labels: Tensor,
  { decoderStartTokenId: start, padTokenId: pad }: SpecialTokens,
): Tensor {
  if (typeof start !== "number" || typeof pad !== "number") {
    fail(model, "labels need decoderStartTokenId and padTokenId in the config; set both");
  }
  const [batch = 0, length = 0] = labels.shape;
  const constantIds = (id: number): Tensor => full([batch, 1], id, { dtype: "int64" });
  const shifted = cat([constantIds(start), labels.to("int64").slice(1, 0, length - 1)], 1);
  return where(shifted.eq(-100), constantIds(pad), shifted);
}
