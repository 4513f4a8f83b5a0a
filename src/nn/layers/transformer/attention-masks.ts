import { constant, where } from "../../../tensor/functions/arithmetic.ts";
import { arange } from "../../../tensor/functions/creation.ts";
import { isFloat } from "../../../tensor/dtype.ts";
import { sameShape, type Shape, show } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { fail } from "../../errors.ts";

/** What attention may not look at, in PyTorch's sense: what is true is hidden. */
export interface AttentionMasks {
  /**
   * [queries, keys], or [batch × heads, queries, keys]: bool, true where a query may **not** look, or
   * floating-point, added to the scores. @default none
   */
  readonly attnMask?: Tensor | undefined;
  /** [batch, keys]: bool, true for keys that are padding, or added to the scores. @default none */
  readonly keyPaddingMask?: Tensor | undefined;
  /** Whether query i sees keys 0 to i only, beside what the masks say. @default false */
  readonly isCausal?: boolean;
}

/** The most negative float32: it hides a score but keeps a row that hides all of them finite. */
const HIDDEN = -3.4028234663852886e38;

/**
 * What is added to scores [batch, heads, queries, keys]; undefined for nothing.
 * @throws ModelError for masks of other shapes or element types.
 */
export function scoreMask(
  layer: string,
  { attnMask, keyPaddingMask, isCausal = false }: AttentionMasks,
  [batch = 0, heads = 0, queries = 0, keys = 0]: Shape,
): Tensor | undefined {
  const masks: Tensor[] = [];
  if (isCausal) masks.push(arange(queries).unsqueeze(1).lt(arange(keys)));
  if (attnMask !== undefined) {
    const [flat, all] = [[queries, keys], [batch * heads, queries, keys]]; // prettier-ignore
    requireMask(layer, "attnMask", attnMask, [flat, all]);
    masks.push(attnMask.ndim === 2 ? attnMask : attnMask.reshape([batch, heads, queries, keys]));
  }
  if (keyPaddingMask !== undefined) {
    requireMask(layer, "keyPaddingMask", keyPaddingMask, [[batch, keys]]);
    masks.push(keyPaddingMask.reshape([batch, 1, 1, keys]));
  }
  return joined(masks);
}

/** Where any of the masks hides, what hides; elsewhere the sum of those that are added. */
function joined(masks: readonly Tensor[]): Tensor | undefined {
  const isAdded = ({ dtype }: Tensor): boolean => dtype !== "bool";
  const added = masks.filter(isAdded).reduce<Tensor | undefined>(sum, undefined);
  const hidden = masks.filter((mask) => !isAdded(mask));
  if (hidden.length === 0) return added;
  const any = hidden.reduce((a, b) => a.logicalOr(b));
  return where(any, constant(HIDDEN), added ?? constant(0));
}

function sum(a: Tensor | undefined, b: Tensor): Tensor {
  return a === undefined ? b : a.add(b);
}

function requireMask(layer: string, name: string, mask: Tensor, shapes: readonly Shape[]): void {
  if (mask.dtype !== "bool" && !isFloat(mask.dtype)) {
    fail(
      layer,
      `${name} must be bool, true where nothing is looked at, or floating-point, added to the scores; ` +
        `got ${mask.dtype}; of an attentionMask of 1 and 0, write mask.eq(0)`,
    );
  }
  if (shapes.some((shape) => sameShape(mask.shape, shape))) return;
  fail(layer, `${name} must be ${shapes.map(show).join(" or ")}, got ${show(mask.shape)}`);
}
