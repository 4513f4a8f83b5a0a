import { fail } from "../../base/errors.ts";
import { eye } from "../../tensor/functions/creation.ts";
import { svd } from "../../tensor/linalg/decompositions.ts";
import { solve } from "../../tensor/linalg/solve.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { requireSameWidth, rowsOf } from "./activations.ts";
import { twoMeans } from "./two-means.ts";
import { unitVector } from "./unit-vector.ts";

/**
 * The direction from the mean of some activations to that of others, as a unit vector [width].
 *
 * As all directions here, it goes straight into an intervention: as `directions` of a
 * {@link DirectionsFeaturizer}, to interchange along it, or times a number as the source of an
 * {@link AdditionIntervention}.
 *
 * @param to - Activations [..., width] with what is looked for.
 * @param from - Activations without it.
 * @throws TsveneError for other widths, and for sets of the same mean.
 *
 * @example
 * ```ts
 * import { DirectionsFeaturizer, meanDifference, randn } from "tsvene";
 * const direction = await meanDifference(randn([50, 8]).add(1), randn([40, 8]));
 * const along = new DirectionsFeaturizer({ directions: direction });
 * console.log(along.encode(randn([3, 8])).shape); // [3, 1]
 * ```
 */
export async function meanDifference(to: Tensor, from: Tensor): Promise<Tensor> {
  const op = "meanDifference";
  const [one, other] = await sets(op, to, from);
  return unitVector(op, one.mean({ dim: 0 }).sub(other.mean({ dim: 0 })));
}

/**
 * The mean of the differences of pairs that are alike but for one thing, each first divided by its length, so
 * that none counts for more than others; as a unit vector [width].
 *
 * @param to - Activations [..., width] with it.
 * @param from - Of the same prompts without it, in the same order.
 * @throws TsveneError for other numbers of samples.
 */
export async function contrastDirection(to: Tensor, from: Tensor): Promise<Tensor> {
  const op = "contrastDirection";
  const [one, other] = await sets(op, to, from);
  if (one.size(0) !== other.size(0)) {
    fail(op, `pairs need as many samples on both sides, got ${one.size(0)} and ${other.size(0)}`);
  }
  const apart = one.sub(other);
  const lengths = apart.square().sum({ dim: 1, keepdim: true }).sqrt();
  return unitVector(op, apart.div(lengths.add(lengths.eq(0).to("float64"))).mean({ dim: 0 }));
}

/** What {@link pcaDirection} takes. */
export interface PCADirectionOptions {
  /** Subtract the mean first; of differences of pairs, do not. @default true */
  readonly center?: boolean;
}

/**
 * The first principal component of activations, or with `center: false` of differences of pairs
 * (representation reading: Zou and others, 2023); a unit vector [width]. It points to where the mean of the
 * activations is, or if it is at right angles to it, to where its largest element is positive.
 *
 * @param x - [..., width]
 */
export async function pcaDirection(x: Tensor, options: PCADirectionOptions = {}): Promise<Tensor> {
  const op = "pcaDirection";
  const rows = await rowsOf(op, "x", x, 2);
  const mean = rows.mean({ dim: 0 });
  const { center = true } = options;
  const { vh } = await svd(center ? rows.sub(mean) : rows);
  const first = vh.select(0, 0).detach();
  const [along, largest] = [
    first.mul(mean).sum(),
    first.select(0, await first.abs().argmax(0).item()),
  ];
  const towards = await along.item();
  const length = await mean.square().sum().sqrt().item();
  const sign = Math.abs(towards) > 1e-6 * length ? towards : await largest.item();
  return unitVector(op, sign < 0 ? first.neg() : first);
}

/** What {@link ldaDirection} takes. */
export interface LDADirectionOptions {
  /** How far the covariance is moved to a multiple of the identity, from 0 to 1. @default 1e-3 */
  readonly shrinkage?: number;
}

/**
 * Fisher's linear discriminant of two sets, Σ⁻¹ (mean of `to` - mean of `from`) with Σ the covariance within them;
 * a unit vector [width].
 *
 * @param to - [..., width]
 * @param from - [..., width]
 */
export async function ldaDirection(
  to: Tensor,
  from: Tensor,
  { shrinkage = 1e-3 }: LDADirectionOptions = {},
): Promise<Tensor> {
  const op = "ldaDirection";
  if (!(shrinkage >= 0 && shrinkage <= 1)) {
    fail(op, `shrinkage must be a number from 0 to 1, got ${String(shrinkage)}`);
  }
  const [one, other] = await sets(op, to, from);
  const [a, b] = [one.mean({ dim: 0 }), other.mean({ dim: 0 })];
  const scatter = (rows: Tensor): Tensor => rows.t().matmul(rows);
  const n = one.size(0) + other.size(0);
  const within = scatter(one.sub(a))
    .add(scatter(other.sub(b)))
    .div(n);
  const width = one.size(1);
  const even = eye(width, width, { dtype: "float64" }).mul(within.diagonal().mean());
  const covariance = within.mul(1 - shrinkage).add(even.mul(shrinkage));
  return unitVector(op, solve(covariance, a.sub(b)));
}

/** What {@link kMeansDirection} takes. */
export interface KMeansDirectionOptions {
  /** Where the choice of the first centres starts. @default 0 */
  readonly seed?: number;
}

/**
 * The direction between the centres of two clusters of activations, which 2-means finds without labels (Lloyd,
 * from centres that are far apart); a unit vector [width]. Its sign is arbitrary.
 *
 * @param x - [..., width]
 */
export async function kMeansDirection(
  x: Tensor,
  { seed = 0 }: KMeansDirectionOptions = {},
): Promise<Tensor> {
  const op = "kMeansDirection";
  const rows = await rowsOf(op, "x", x, 2);
  const [one, other] = twoMeans(rows, seed);
  return unitVector(op, one.sub(other));
}

/** Both sets as rows of the same width. */
async function sets(op: string, to: Tensor, from: Tensor): Promise<readonly [Tensor, Tensor]> {
  const [one, other] = [await rowsOf(op, "to", to), await rowsOf(op, "from", from)];
  requireSameWidth(op, one, other);
  return [one, other];
}
