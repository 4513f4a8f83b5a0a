import { requireTensors } from "../../tensor/require-tensors.ts";
import { constantLike, where } from "../../tensor/functions/arithmetic.ts";
import { fail } from "../../tensor/errors.ts";
import { sameShape, show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { softplus } from "./activations.ts";
import { requireFloat } from "./check.ts";
import { cosineSimilarity, pairwiseDistance } from "./normalisation.ts";
import { type LossOptions, reduceLoss } from "./reduce-loss.ts";

/** Options of losses with a margin. */
export interface MarginOptions extends LossOptions {
  /** How far apart is far enough. @default 1, or 0 for ranks and cosines */
  readonly margin?: number;
}

function requireSame(op: string, tensors: Readonly<Record<string, Tensor>>): void {
  const named = Object.entries(tensors);
  requireTensors(op, ...Object.values(tensors));
  for (const [name, other] of named.slice(1)) {
    const [first, one] = named[0] ?? [name, other];
    requireFloat(op, one, first);
    if (sameShape(one.shape, other.shape)) continue;
    fail(op, `${first} ${show(one.shape)} and ${name} ${show(other.shape)} must have one shape`);
  }
}

function positive(x: Tensor): Tensor {
  return x.relu();
}

/** x where the target is 1, max(0, margin - x) where it is -1: distances of like and unlike pairs. */
export function hingeEmbeddingLoss(
  input: Tensor,
  target: Tensor,
  { margin = 1, reduction }: MarginOptions = {},
): Tensor {
  requireSame("hingeEmbeddingLoss", { input, target });
  const far = positive(input.neg().add(constantLike(margin, input)));
  const like = target.eq(constantLike(1, target));
  return reduceLoss(where(like, input, far), reduction);
}

/** max(0, margin - target (x - y)): x is to rank above y where the target is 1, below where -1. */
export function marginRankingLoss(
  x: Tensor,
  y: Tensor,
  target: Tensor,
  { margin = 0, reduction }: MarginOptions = {},
): Tensor {
  requireSame("marginRankingLoss", { x, y, target });
  const short = constantLike(margin, x).sub(target.to(x.dtype).mul(x.sub(y)));
  return reduceLoss(positive(short), reduction);
}

/**
 * 1 - cos(x, y) where the target is 1, max(0, cos(x, y) - margin) where it is -1.
 *
 * @param x [batch, features]
 * @param y [batch, features]
 * @param target [batch]
 */
export function cosineEmbeddingLoss(
  x: Tensor,
  y: Tensor,
  target: Tensor,
  { margin = 0, reduction }: MarginOptions = {},
): Tensor {
  requireSame("cosineEmbeddingLoss", { x, y });
  const cosine = cosineSimilarity(x, y, { dim: -1 });
  requireSame("cosineEmbeddingLoss", { "each pair": cosine, target });
  const like = target.eq(constantLike(1, target));
  const apart = positive(cosine.sub(constantLike(margin, cosine)));
  return reduceLoss(where(like, constantLike(1, cosine).sub(cosine), apart), reduction);
}

/** max(0, |anchor - positive| - |anchor - negative| + margin), vectors [..., features]. */
export function tripletMarginLoss(
  anchor: Tensor,
  near: Tensor,
  far: Tensor,
  { margin = 1, reduction, p = 2 }: MarginOptions & { /** @default 2 */ readonly p?: number } = {},
): Tensor {
  requireSame("tripletMarginLoss", { anchor, near, far });
  const gap = pairwiseDistance(anchor, near, { p }).sub(pairwiseDistance(anchor, far, { p }));
  return reduceLoss(positive(gap.add(constantLike(margin, gap))), reduction);
}

/** log(1 + exp(-target x)), for targets 1 and -1. */
export function softMarginLoss(
  input: Tensor,
  target: Tensor,
  { reduction }: LossOptions = {},
): Tensor {
  requireSame("softMarginLoss", { input, target });
  return reduceLoss(softplus(target.to(input.dtype).mul(input).neg()), reduction);
}

/**
 * The hinge loss of classes: for each class but the target's, max(0, margin - score of the target +
 * its score), summed and divided by the number of classes.
 *
 * @param input scores [batch, classes]
 * @param target [batch] int64
 */
export function multiMarginLoss(
  input: Tensor,
  target: Tensor,
  { margin = 1, reduction }: MarginOptions = {},
): Tensor {
  requireFloat("multiMarginLoss", input);
  requireTensors("multiMarginLoss", target);
  const [batch, classes = 1] = input.shape;
  if (input.ndim !== 2 || !sameShape(target.shape, [batch ?? 0])) {
    fail("multiMarginLoss", `expected scores [batch, classes] and targets [batch], got ${show(input.shape)} and ${show(target.shape)}`); // prettier-ignore
  }
  const own = input.gather(1, target.unsqueeze(1));
  const short = positive(input.sub(own).add(constantLike(margin, input)));
  // The target's own term is the margin.
  const sum = short.sum({ dim: 1 }).sub(constantLike(Math.max(0, margin), input));
  return reduceLoss(sum.div(classes), reduction);
}
