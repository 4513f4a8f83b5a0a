import { Tensor } from "../../tensor/tensor.ts";

/** How distances are put into buckets. */
export interface BucketOptions {
  readonly buckets: number;
  /** The distance from which on all are in the last bucket. */
  readonly maxDistance: number;
  /** Whether later positions have buckets of their own; otherwise all of them are in the first. */
  readonly bidirectional: boolean;
}

/** Bucket of a distance back, 0 or more, with the roundings of float32 that torch's has. */
function bucketOf(distance: number, buckets: number, maxDistance: number): number {
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return distance;
  const { fround, log } = Math;
  const share = fround(fround(log(fround(distance / exact))) / fround(log(maxDistance / exact)));
  return Math.min(buckets - 1, exact + Math.floor(fround(share * (buckets - exact))));
}

/**
 * The bucket of each key's position less the query's, from -maxDistance to maxDistance, int64
 * [2 maxDistance + 1]: near ones have their own, farther ones share buckets that grow with distance
 * (Raffel and others, "Exploring the Limits of Transfer Learning", 2020).
 */
export function relativeBuckets({ buckets, maxDistance, bidirectional }: BucketOptions): Tensor {
  const side = bidirectional ? buckets / 2 : buckets;
  const bucket = (relative: number): number => {
    if (relative <= 0) return bucketOf(-relative, side, maxDistance);
    return bidirectional ? side + bucketOf(relative, side, maxDistance) : 0;
  };
  const count = 2 * maxDistance + 1;
  const all = Array.from({ length: count }, (_, i) => BigInt(bucket(i - maxDistance)));
  return Tensor.fromData(BigInt64Array.from(all), [count], "int64");
}
