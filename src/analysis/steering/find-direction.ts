import { fail } from "../../base/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ldaDirection, pcaDirection } from "../../training/probes/directions.ts";
import { logisticProbe } from "../../training/probes/logistic-probe.ts";

/**
 * How a vector is found in the states of two sets of texts:
 *
 * - `"meanDifference"`: the mean of the positive ones less that of the negative ones, as long as that is
 *   (contrastive activation addition: Rimsky and others, 2023; of one pair, activation addition: Turner and
 *   others, 2023);
 * - `"pca"`: the first principal component of the differences of pairs, to where most positive ones are
 *   (representation engineering: Zou and others, 2023), of length 1, as all that follow;
 * - `"probe"`: along which a logistic probe tells them apart (inference-time intervention: Li and others,
 *   2023);
 * - `"lda"`: the mean difference by the spread within the sets.
 */
export type SteeringMethod = "meanDifference" | "pca" | "probe" | "lda";

/** States of texts with what is looked for, and of texts without, [texts, width]. */
export interface TwoSets {
  readonly positive: Tensor;
  readonly negative: Tensor;
}

interface Method {
  /** How many texts of each set it needs. */
  readonly least: number;
  /** Whether the texts are pairs, one of each set. */
  readonly isOfPairs: boolean;
  /** Whether it finds nothing where both sets have the same mean. */
  readonly isOfMeans: boolean;
  readonly find: (sets: TwoSets) => Promise<Tensor>;
}

const METHODS: { readonly [K in SteeringMethod]: Method } = {
  meanDifference: {
    least: 1,
    isOfPairs: false,
    isOfMeans: true,
    find: async (sets) => meansApart(sets),
  },
  pca: { least: 2, isOfPairs: true, isOfMeans: false, find: componentOfPairs },
  probe: {
    least: 1,
    isOfPairs: false,
    isOfMeans: false,
    find: async ({ positive, negative }) => {
      const labels = [positive, negative].flatMap((set, i) => Array(set.size(0)).fill(i === 0));
      return (await logisticProbe(cat([positive, negative], 0), labels)).direction(true);
    },
  },
  lda: {
    least: 2,
    isOfPairs: false,
    isOfMeans: true,
    find: async ({ positive, negative }) => ldaDirection(positive, negative),
  },
};

/** All methods. */
export const STEERING_METHODS = Object.keys(METHODS) as readonly SteeringMethod[];

/** @throws TsveneError for too few texts, and sets of other sizes where pairs are wanted. */
export function requireTexts(
  op: string,
  method: SteeringMethod,
  positive: readonly string[],
  negative: readonly string[],
): void {
  const { least, isOfPairs } = METHODS[method];
  const [one, other] = [positive.length, negative.length];
  if (isOfPairs && one !== other) {
    fail(op, `${method} takes pairs: ${one} positive and ${other} negative texts are not as many`);
  }
  if (Math.min(one, other) >= least) return;
  fail(op, `${method} needs ${least} texts of each kind at least, got ${one} and ${other}`);
}

/** Whether the method can be tried without a part of so many texts. */
export function canSpare(method: SteeringMethod, count: number, part: number): boolean {
  return count - part >= METHODS[method].least;
}

/** Means that are this near to each other, for the size of the states, are the same. */
const SAME = 1e-6;

/** The vector of a method, evaluated; zeros where both sets are the same there. */
export async function findDirection(method: SteeringMethod, sets: TwoSets): Promise<Tensor> {
  const { find, isOfMeans } = METHODS[method];
  const all = cat([sets.positive, sets.negative], 0).to("float64");
  const apart = isOfMeans ? meansApart(sets) : all.sub(all.narrow(0, 0, 1));
  const difference = await apart.abs().amax().item();
  const size = await all.square().mean().sqrt().item();
  const vector = difference > SAME * size ? await find(sets) : meansApart(sets).mul(0);
  const found = vector.to("float32").detach();
  await evaluate(found);
  return found;
}

/** In float64, so that what is the same in both is exactly 0. */
function meansApart({ positive, negative }: TwoSets): Tensor {
  const mean = (set: Tensor): Tensor => set.to("float64").mean({ dim: 0 });
  return mean(positive).sub(mean(negative));
}

async function componentOfPairs({ positive, negative }: TwoSets): Promise<Tensor> {
  const apart = positive.sub(negative);
  const first = await pcaDirection(apart, { center: false });
  const along = await apart.matmul(first).toArray(1);
  const votes = along.reduce((sum, value) => sum + Math.sign(value), 0);
  return votes < 0 ? first.neg() : first;
}
